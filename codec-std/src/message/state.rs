//! The state of a device: the last reported values of its points.

use std::fmt;

use gizwits_codec_core::{Mask, P0, PointId, View};

use super::decoded::{Content, Decoded};
use super::json::write_names;
use crate::error::Error;
use crate::product::Product;
use crate::product::attr::Attr;

/// The last known values of the points of a device.
///
/// A var_len device reports only the points that changed, so its state is the merge of its reports.
///
/// ```
/// use gizwits_codec_std::Product;
/// # let definition = r#"{"product_key": "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50", "name": "lamp",
/// #   "protocolType": "var_len", "packetVersion": "0x00000004", "entities": [{"id": 0, "attrs": [
/// #   {"id": 0, "name": "power", "type": "status_writable", "data_type": "bool",
/// #    "position": {"unit": "bit", "byte_offset": 0, "bit_offset": 0, "len": 1}},
/// #   {"id": 1, "name": "level", "type": "status_writable", "data_type": "uint8",
/// #    "position": {"unit": "byte", "byte_offset": 0, "bit_offset": 0, "len": 1},
/// #    "uint_spec": {"min": 0, "max": 100, "ratio": 1, "addition": 0}},
/// #   {"id": 2, "name": "hot", "type": "alert", "data_type": "bool",
/// #    "position": {"unit": "bit", "byte_offset": 0, "bit_offset": 0, "len": 1}}]}]}"#;
/// let product = Product::from_json(definition)?; // power, level, hot
/// let mut state = product.state();
/// for report in [&[0x14, 0b011, 0x01, 0x18][..], &[0x14, 0b010, 0x32]] {
///     product.merge(&mut state, &product.decode(report)?)?;
/// }
/// assert_eq!(state.to_json(), r#"{"attrs":{"power":1,"level":50},"never_seen":["hot"]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct State {
    product: Product,
    /// The mask of the points with a known value.
    known: Box<[u8]>,
    /// The values of all points, at their locations in the layout.
    status: Box<[u8]>,
}

impl Product {
    /// Returns the state of a device without any known values.
    #[must_use]
    pub fn state(&self) -> State {
        let layout = self.layout();
        State {
            product: self.clone(),
            known: vec![0; layout.mask_len()].into(),
            status: vec![0; layout.status_len()].into(),
        }
    }

    /// Merges a report or reply into the state of its device. Returns false, and changes nothing, for any
    /// other payload: a control states what somebody wants, not what the device does.
    ///
    /// # Errors
    /// `other_product` if the state, the payload and this product do not have the same definition.
    pub fn merge(&self, state: &mut State, decoded: &Decoded<'_, '_>) -> Result<bool, Error> {
        if !self.same(&state.product) || !self.same(decoded.product) {
            let [own, state, payload] = [self, &state.product, decoded.product].map(Self::name);
            let message = format!(
                "the state is of product `{state}`, the payload of `{payload}`, merged by `{own}`: one \
                 definition is expected"
            );
            return Err(Error::new("other_product", message));
        }
        match decoded.content {
            Content::P0(P0::Reply(view) | P0::Report(view)) => state.update(view).map(|()| true),
            _ => Ok(false),
        }
    }
}

impl State {
    /// The product of the state.
    pub(super) fn product(&self) -> &Product {
        &self.product
    }

    /// The values of all points, at their locations in the layout.
    pub(super) fn status_mut(&mut self) -> &mut [u8] {
        &mut self.status
    }

    /// Marks a point as known.
    pub(super) fn set_known(&mut self, id: PointId) {
        // The last byte of a mask has the points 0 to 7.
        let byte = self.known.len().checked_sub(1 + id.index() / 8);
        if let Some(byte) = byte.and_then(|byte| self.known.get_mut(byte)) {
            *byte |= 1 << (id.index() % 8);
        }
    }

    /// Merges the points of a view, as [`Product::merge`] merges the points of a payload. Some devices reply
    /// with all points regardless of the read; [`view_lax`](gizwits_codec_core::LayoutRef::view_lax) reads
    /// such a body:
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let mut state = product.state();
    /// let body = [0x01, 0x00, 0x00, 0x10, 0x1e, 0x00, 0x00];
    /// state.update(product.layout().view_lax(&body))?;
    /// assert_eq!(state.view().iter().count(), 11);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `other_product` if the view has another layout than the product of the state.
    pub fn update(&mut self, view: View<'_, '_>) -> Result<(), Error> {
        if view.layout() != self.product.layout() {
            let name = self.product.name();
            let message = format!("the view has another layout than product `{name}`");
            return Err(Error::new("other_product", message));
        }
        Ok(view.merge_into(&mut self.known, &mut self.status)?)
    }

    /// The points with a known value.
    #[must_use]
    pub fn view(&self) -> View<'_, '_> {
        let layout = self.product.layout();
        // Both buffers have the lengths that the layout requires, so `known` is never an error.
        let known = layout.view_known(&self.known, &self.status);
        known.unwrap_or_else(|_| layout.view_lax(&[]))
    }

    /// The points without a known value, in the order of their ids.
    pub fn never_seen(&self) -> impl Iterator<Item = &Attr> {
        let known = Mask::new(&self.known);
        self.product
            .attrs()
            .filter(move |attr| !known.contains(attr.id()))
    }

    /// Returns one line of JSON, `{"attrs":…,"flagged":…,"never_seen":[…]}`, with values as in
    /// [`Decoded::to_json`].
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = vec![b'{'];
        self.product.write_points(&mut out, self.view());
        out.extend(br#","never_seen":"#);
        write_names(&mut out, self.never_seen());
        out.push(b'}');
        out.shrink_to_fit();
        String::from_utf8(out).unwrap_or_default()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}
