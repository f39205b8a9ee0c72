//! `gizwits_action`: the action of a payload.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use gizwits_codec_std::Action;
use gizwits_codec_std::core::m2m::{self, Event};
use gizwits_codec_std::payload;

use crate::payloads::{Payload, apply, for_each, payload_type};

/// `gizwits_action(payload)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ActionOf {
    signature: Signature,
}

impl ActionOf {
    pub(crate) fn new() -> Self {
        ActionOf {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for ActionOf {
    fn name(&self) -> &'static str {
        "gizwits_action"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [payload] = given else {
            return plan_err!("gizwits_action takes a payload");
        };
        Ok(vec![payload_type(payload, self.name())?])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [payloads] = &*args.args else {
            return internal_err!("gizwits_action without a payload");
        };
        apply(payloads, |payloads| {
            let (mut words, mut bytes) = (Vec::with_capacity(payloads.len()), Vec::new());
            for_each(payloads, |payload| {
                words.push(match payload {
                    Some(Payload::Text(text)) => payload::parse_into(text, None, &mut bytes)
                        .ok()
                        .and_then(|()| action(&bytes)),
                    Some(Payload::Bytes(bytes)) => action(bytes),
                    None => None,
                });
            })?;
            Ok(Arc::new(StringArray::from(words)) as ArrayRef)
        })
    }
}

/// The action of a frame or a bare P0, which its first byte states.
fn action(bytes: &[u8]) -> Option<&'static str> {
    let p0 = match bytes.starts_with(&m2m::PREFIX) {
        false => bytes,
        true => match m2m::parse(bytes, usize::MAX).ok()? {
            (Event::Frame(frame), []) => frame.p0()?,
            _ => return None,
        },
    };
    match *p0.first()? {
        0x05 | 0x06 => Some("transparent"),
        code => Action::from_code(code).map(|(action, _)| action.name()),
    }
}
