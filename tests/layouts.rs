//! A layout that the compiler made is the layout that the definition makes.

use gizwits_codec_core::layout::LayoutRef;
use gizwits_codec_core::{
    Access, Decimal, ErrorKind, Kind, Layout, Point, PointId, Protocol, Scale, UintSpec,
};
use gizwits_tests::vectors::product;

use Access::{Alert, Fault, ReadOnly, Writable};

const fn d(coefficient: i64, scale: u8) -> Decimal {
    Decimal::new(coefficient, scale)
}

static AIR_CONDITIONER: Layout<11> = Layout::must(
    Protocol::Standard,
    &[
        Point::bool(0, Writable, 0, 0),
        Point::bool(1, Writable, 0, 1),
        Point::enumeration(2, Writable, 0, 2, 2, 4),
        Point::enumeration(3, Writable, 0, 4, 2, 3),
        Point::uint8(4, Writable, 1, UintSpec::new(0, 24)),
        Point::uint8(5, Writable, 2, UintSpec::new(0, 24)),
        Point::uint8(6, Writable, 3, UintSpec::new(16, 30)),
        Point::uint8(
            7,
            ReadOnly,
            4,
            UintSpec::new(0, 45).scaled(d(1, 0), d(-10, 0)),
        ),
        Point::bool(8, Alert, 5, 0),
        Point::bool(9, Alert, 5, 1),
        Point::bool(10, Fault, 6, 0),
    ],
);

static BORDER_HEAD: Layout<4> = Layout::must(
    Protocol::Standard,
    &[
        Point::enumeration(0, Writable, 0, 0, 7, 100),
        Point::enumeration(1, Writable, 0, 7, 6, 40),
        Point::enumeration(2, Writable, 0, 13, 32, 3),
        Point::binary(3, Writable, 6, 60),
    ],
);

static VOICE_TOY: Layout<8> = Layout::must(
    Protocol::VarLen,
    &[
        Point::bool(0, Writable, 0, 0),
        Point::bool(1, Writable, 0, 0),
        Point::enumeration(2, ReadOnly, 0, 0, 2, 3),
        Point::enumeration(3, Writable, 0, 0, 1, 2),
        Point::enumeration(4, Writable, 0, 0, 2, 3),
        Point::uint8(5, Writable, 0, UintSpec::new(0, 100)),
        Point::uint8(6, Writable, 0, UintSpec::new(0, 100)),
        Point::binary(7, ReadOnly, 0, 6),
    ],
);

#[test]
fn constant_and_run_time_are_one() {
    assert_eq!(VOICE_TOY.get(), product("voice-toy").layout());
    assert_eq!(
        (VOICE_TOY.get().mask_len(), VOICE_TOY.get().status_len()),
        (1, 9)
    );
    assert_eq!(AIR_CONDITIONER.get(), product("air-conditioner").layout());
    assert_eq!(AIR_CONDITIONER.get().status_len(), 7);
    assert_eq!(BORDER_HEAD.get().status_len(), 66);
}

#[test]
fn a_layout_has_room_to_spare() {
    let points = [Point::bool(0, Writable, 0, 0)];
    let exact = Layout::<1>::new(Protocol::Standard, &points).unwrap();
    let roomy = Layout::<100, 7>::new(Protocol::Standard, &points).unwrap();
    let (exact, roomy): (LayoutRef<'_>, LayoutRef<'_>) = (exact.get(), roomy.get());
    assert_eq!(exact, roomy);
    assert_eq!(roomy.view(&[1]).unwrap().iter().count(), 1);

    let scaled = |id: u16, ratio| {
        Point::uint8(
            id,
            Writable,
            id.into(),
            UintSpec::new(0, 9).scaled(d(ratio, 0), d(0, 0)),
        )
    };
    let three = [scaled(0, 2), scaled(1, 3), scaled(2, 2)];
    assert!(Layout::<3, 2>::new(Protocol::Standard, &three).is_ok());
    let error = Layout::<3, 1>::new(Protocol::Standard, &three).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooManyScales);
    let error = Layout::<2, 2>::new(Protocol::Standard, &three).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooManyPoints);
}

/// The cost of laying out grows with the points, not with their square: each rule that compares
/// points does so between neighbours in some order.
#[test]
fn the_largest_product_is_laid_out() {
    let points: Vec<Point> = (0..1024)
        .rev()
        .map(|id| {
            let scale = d(i64::from(id % 97) + 1, 3);
            Point::uint16(
                id,
                Writable,
                2 * u32::from(id),
                UintSpec::new(0, 9).scaled(scale, scale),
            )
        })
        .collect();
    let layout = Layout::<1024, 97>::new(Protocol::Standard, &points).unwrap();
    assert_eq!(layout.get().status_len(), 2048);
}

/// Products of every number of points up to some words, and of those around the borders of more words.
#[test]
fn every_number_of_points() {
    let borders = [191, 192, 193, 255, 256, 257, 320, 1024];
    for count in (1..=150).chain(borders) {
        gizwits_tests::laws::number_of_points(count);
    }
}

/// A state takes only what was decoded with its own layout.
#[test]
fn states_are_of_one_product() {
    let (toy, pump) = (product("voice-toy"), product("wave-pump"));
    let mut state = toy.state();
    let decoded = pump.decode(&[0x14, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]).unwrap();
    let error = toy.merge(&mut state, &decoded).unwrap_err();
    assert_eq!(error.kind, "other_product");
    assert_eq!(state.never_seen().count(), 8);
    // The same definition read twice is one product.
    let again = product("voice-toy");
    let decoded = again.decode(&[0x14, 0b1, 1]).unwrap();
    assert_eq!(toy.merge(&mut state, &decoded), Ok(true));
    assert!(
        state
            .to_json()
            .starts_with(r#"{"attrs":{"switch":1},"never_seen":["wakeup_word","#)
    );
}

/// Returns the layout of points in any order, with room for any number of scales.
fn layout_of(points: &[Point]) -> Layout<128, 128> {
    Layout::new(Protocol::Standard, points).unwrap()
}

proptest::proptest! {
    /// The order in which points are listed makes no difference, however many scales they have, and each point has
    /// the scale of its own numbers.
    #[test]
    fn order_of_points_makes_no_difference(
        numbers in proptest::collection::vec((1_i64..9, 0_u8..2, -3_i64..3, 0_u8..3), 1..120),
        keys in proptest::collection::vec(proptest::prelude::any::<u32>(), 120),
    ) {
        let (mut points, mut offset) = (Vec::new(), 0);
        for (ratio, places, addition, width) in numbers {
            let spec = UintSpec::new(0, 200).scaled(d(ratio, places), d(addition, 0));
            let id = points.len() as u16;
            points.push(match width {
                0 => Point::uint8(id, Writable, offset, spec),
                1 => Point::uint16(id, Writable, offset, spec),
                _ => Point::uint32(id, Writable, offset, spec),
            });
            offset += 1 << width;
        }
        let layout = layout_of(&points);
        for point in &points {
            let (Kind::Uint8(spec) | Kind::Uint16(spec) | Kind::Uint32(spec)) = point.kind else { unreachable!() };
            let scale = Scale::new(spec.ratio, spec.addition, 255).unwrap();
            proptest::prop_assert_eq!(layout.get().scale(PointId(point.id)), Some(scale));
        }
        points.reverse();
        proptest::prop_assert_eq!(&layout_of(&points), &layout);
        points.sort_by_key(|point| keys[usize::from(point.id)]);
        proptest::prop_assert_eq!(&layout_of(&points), &layout);
    }

    /// Runs of equal integers and of binaries, of any length and number, also with bytes of no point between two of them, are
    /// decoded like any other points.
    #[test]
    fn runs_of_equal_integers(
        runs in proptest::collection::vec((1_u16..9, 0_usize..6, 0_u16..18), 1..24),
        seed in proptest::prelude::any::<u64>(),
    ) {
        let scales = [(1, 0), (10, 1), (10, 2), (7, -400), (10, 0), (7, 0)];
        let (mut points, mut offset) = (Vec::new(), 0);
        for (len, scale, gap_before) in runs {
            for n in 0..len {
                offset += u32::from(n == gap_before);
                let id = points.len() as u16;
                let (ratio, addition) = scales[scale];
                let spec = UintSpec::new(0, 4_000_000_000).scaled(d(ratio, 1), d(addition, 1));
                points.push(Point::uint32(id, Writable, offset, spec));
                offset += 4;
            }
            if len % 3 == 0 {
                for _ in 0..len {
                    points.push(Point::binary(points.len() as u16, Writable, offset, 2));
                    offset += 2;
                }
            }
            if len % 2 == 0 {
                points.push(Point::uint8(points.len() as u16, Writable, offset, UintSpec::new(0, 255)));
                offset += 1;
            }
        }
        let layout = Layout::<512, 8>::new(Protocol::Standard, &points).unwrap();
        let mut word = seed;
        let status: Vec<u8> = (0..offset).map(|_| {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (word >> 56) as u8
        }).collect();
        gizwits_tests::laws::numbers(points.len(), layout.get().view(&status).unwrap());
    }
}
