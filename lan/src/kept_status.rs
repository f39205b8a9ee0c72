//! The last known status of a device.

use bytes::Bytes;
use gizwits_codec_core::{Action, Encoder, LayoutRef, P0, PointId, Protocol, View};

/// The last known status of a device: its points if the layout is known, or else the P0 of the last full status.
#[derive(Debug)]
pub(crate) enum KeptStatus<'l> {
    Points {
        layout: LayoutRef<'l>,
        /// The mask of the points with a known value.
        known: Box<[u8]>,
        /// The values of all points.
        values: Box<[u8]>,
    },
    P0(Option<Bytes>),
}

/// The effect of a P0 on the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The P0 has changed nothing.
    None,
    /// The P0 has some points, but without a layout it is unknown which.
    Unknown,
    /// The P0 has set some points.
    Some,
    /// The P0 has set all points.
    All,
}

impl<'l> KeptStatus<'l> {
    pub(crate) fn new(layout: Option<LayoutRef<'l>>) -> Self {
        match layout {
            None => KeptStatus::P0(None),
            Some(layout) => KeptStatus::Points {
                layout,
                known: vec![0; layout.mask_len()].into(),
                values: vec![0; layout.status_len()].into(),
            },
        }
    }

    /// Returns the read of all points, for the attempt with this number, from 0. Without a layout, it is that of all standard
    /// products and that of all var_len products in turn: a device answers one of them.
    pub(crate) fn read(&self, attempt: u32) -> Bytes {
        let standard = Bytes::from_static(&[0x02]);
        let KeptStatus::Points { layout, .. } = self else {
            return match attempt % 2 == 0 {
                true => standard,
                // A mask of ones asks for all points, whatever their number. Servers send it with this length.
                false => Bytes::from_static(&[0x12, 0xff, 0xff, 0xff, 0xff]),
            };
        };
        let mut out = vec![0; layout.p0_len(Action::Read)];
        let Ok(mut read) = Encoder::begin(*layout, Action::Read, &mut out) else {
            return standard;
        };
        if layout.protocol() == Protocol::VarLen {
            for id in 0..layout.point_count() {
                // The layout has this point.
                let _ = read.want(PointId(id));
            }
        }
        Bytes::copy_from_slice(read.finish())
    }

    /// Takes a P0 of the device.
    pub(crate) fn take(&mut self, p0: &Bytes) -> Effect {
        match self {
            KeptStatus::P0(kept) => match p0.first() {
                Some(0x03 | 0x04) => {
                    *kept = Some(p0.clone());
                    Effect::All
                }
                Some(0x13 | 0x14) => Effect::Unknown,
                _ => Effect::None,
            },
            KeptStatus::Points {
                layout,
                known,
                values,
            } => match P0::parse(*layout, p0) {
                Ok(P0::Reply(view) | P0::Report(view)) => {
                    match (view.merge_into(known, values), view.is_whole()) {
                        (Ok(()), true) => Effect::All,
                        (Ok(()), false) => Effect::Some,
                        (Err(_), _) => Effect::None,
                    }
                }
                _ => Effect::None,
            },
        }
    }

    /// Returns the points with a known value. `None` without a layout.
    pub(crate) fn view(&self) -> Option<View<'l, '_>> {
        match self {
            KeptStatus::P0(_) => None,
            KeptStatus::Points {
                layout,
                known,
                values,
            } => layout.view_known(known, values).ok(),
        }
    }

    /// Returns the P0 of the last full status. `None` with a layout.
    pub(crate) const fn p0(&self) -> Option<&Bytes> {
        match self {
            KeptStatus::P0(p0) => p0.as_ref(),
            KeptStatus::Points { .. } => None,
        }
    }
}
