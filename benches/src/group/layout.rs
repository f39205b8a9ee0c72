//! Points and definitions to layouts and products.

use gizwits_codec_core::{Access, Decimal, Layout, Point, Protocol, UintSpec};
use gizwits_codec_std::Product;

use super::decode;
use crate::kernel::{Kernel, Output};

/// The kernels of the group.
#[must_use]
pub fn kernels() -> Vec<Kernel> {
    let mut all = vec![
        layout::<64, 8>("64 points"),
        layout::<1024, 8>("1,024 points"),
        reversed(),
    ];
    for (name, fixture) in decode::standard() {
        let text: &'static str = fixture.definition.to_string().leak();
        let inputs: &'static [&'static str] = vec![text].leak();
        all.push(Kernel::new(
            format!("layout/{name}/definition/product"),
            inputs,
            || None,
            |out, text| *out = Product::from_json(text).ok(),
            |_| Output::Nothing,
        ));
        all.push(Kernel::new(
            format!("layout/{name}/definition/serde_json::Value"),
            inputs,
            || None,
            |out: &mut Option<serde_json::Value>, text| *out = serde_json::from_str(text).ok(),
            |_| Output::Nothing,
        ));
    }
    all
}

/// Points of 2 bytes with four scales in turn.
pub(crate) fn points(count: usize) -> Vec<Point> {
    let point = |id: u16| {
        let ratio = Decimal::new(1 + i64::from(id % 4), 2);
        let spec = UintSpec::new(0, 60_000).scaled(ratio, Decimal::ZERO);
        Point::uint16(id, Access::Writable, 2 * u32::from(id), spec)
    };
    (0..count as u16).map(point).collect()
}

fn layout<const N: usize, const S: usize>(title: &str) -> Kernel {
    made::<N, S>(&format!("layout/{title}/few scales/Layout::new"), points(N))
}

/// A scale for each point, in falling order.
fn reversed() -> Kernel {
    let point = |id: u16| {
        let ratio = Decimal::new(10_000 - i64::from(id), 2);
        let spec = UintSpec::new(0, 60_000).scaled(ratio, Decimal::ZERO);
        Point::uint16(id, Access::Writable, 2 * u32::from(id), spec)
    };
    let points = (0..1024).map(point).collect();
    made::<1024, 1024>(
        "layout/1,024 points/scales in falling order/Layout::new",
        points,
    )
}

fn made<const N: usize, const S: usize>(name: &str, points: Vec<Point>) -> Kernel {
    let inputs: &'static [Vec<Point>] = vec![points].leak();
    Kernel::new(
        name,
        inputs,
        || None,
        |out, points| *out = Layout::<N, S>::new(Protocol::Standard, points).ok(),
        |out| Output::Numbers(vec![out.as_ref().map_or(0, |_| 1).into()]),
    )
}
