//! Every public function of the core with its default features, as a pointer that nothing is known about: the image
//! links only if no panic can be reached from any of them, whatever their arguments are. It is never run.
//!
//! A test compares this list with the sources of the core.

#![no_std]
#![no_main]

use core::fmt::Display;
use core::hash::{Hash, Hasher};
use core::hint::black_box;
use core::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};
use core::str::FromStr;

use gizwits_codec_core::layout::LayoutRef;
use gizwits_codec_core::layout::{Head, Ids};
use gizwits_codec_core::link::{Busy, Event, Link, Request, SendError};
use gizwits_codec_core::model::{self, DefaultPolicy, Model, Policy, Replacement, Update};
use gizwits_codec_core::rules::Findings;
use gizwits_codec_core::{
    Action, Decimal, Encoder, Error, ErrorKind, Fixed, Iter, Key, Layout, Mask, P0, Point, PointId,
    PointValue, Protocol, Scale, UintSpec, View, Wanted, m2m, uart,
};
use gizwits_firmware::{board, product, toy};

/// Makes the optimiser keep the functions, and know nothing of their arguments.
macro_rules! keep {
    ($($function:expr => $pointer:ty;)*) => {
        $(black_box($function as $pointer);)*
    };
}

type Tenths = Fixed<i32, 1>;
type Wide = Fixed<i64, 3>;
type Sink<'s> = &'s mut dyn FnMut(u8);
type Invalid<'i> = &'i mut dyn FnMut(PointId, ErrorKind);

/// A hash that needs no panic.
struct Sum(u64);

impl Hasher for Sum {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(5) ^ u64::from(*byte);
        }
    }
}

/// A policy unlike the default one in every respect.
enum OtherPolicy {}

impl Policy for OtherPolicy {
    const NUMBERS: Replacement = Replacement::Keep;
    const ENUMS: Replacement = Replacement::Saturate;
    const REFUSE_CONTROLS: bool = true;
}

fn numbers() {
    keep! {
        Decimal::new => fn(_, _) -> _;
        Decimal::coefficient => fn(_) -> _;
        Decimal::scale => fn(_) -> _;
        Decimal::normalized => fn(_) -> _;
        Decimal::digits => fn(_) -> _;
        Decimal::to_f64 => fn(_) -> _;
        <Decimal as PartialEq>::eq => fn(_, _) -> _;
        <Decimal as PartialOrd>::partial_cmp => fn(_, _) -> _;
        <Decimal as Ord>::cmp => fn(_, _) -> _;
        <Decimal as Hash>::hash::<Sum> => fn(_, _);
        <Decimal as FromStr>::from_str => fn(_) -> _;
        Tenths::checked_add => fn(_, _) -> _;
        Tenths::checked_sub => fn(_, _) -> _;
        Tenths::checked_mul => fn(_, _) -> _;
        Wide::checked_add => fn(_, _) -> _;
        Wide::checked_sub => fn(_, _) -> _;
        Wide::checked_mul => fn(_, _) -> _;
        <Tenths as From<i32>>::from => fn(_) -> _;
        <Wide as From<i64>>::from => fn(_) -> _;
        <Fixed<i64, 1> as From<Tenths>>::from => fn(_) -> _;
        <Decimal as From<Tenths>>::from => fn(_) -> _;
        <Decimal as From<Wide>>::from => fn(_) -> _;
        <Tenths as TryFrom<Decimal>>::try_from => fn(_) -> _;
        <Wide as TryFrom<Decimal>>::try_from => fn(_) -> _;
        <Tenths as FromStr>::from_str => fn(_) -> _;
        <Wide as FromStr>::from_str => fn(_) -> _;
        <Tenths as Add>::add => fn(_, _) -> _;
        <Tenths as Sub>::sub => fn(_, _) -> _;
        <Tenths as Mul<i32>>::mul => fn(_, _) -> _;
        <Tenths as Neg>::neg => fn(_) -> _;
        <Tenths as AddAssign>::add_assign => fn(_, _);
        <Tenths as SubAssign>::sub_assign => fn(_, _);
        <Tenths as MulAssign<i32>>::mul_assign => fn(_, _);
        <Wide as Mul<i64>>::mul => fn(_, _) -> _;
        Scale::new => fn(_, _, _) -> _;
        Scale::ratio => fn(_) -> _;
        Scale::addition => fn(_) -> _;
        Scale::decimals => fn(_) -> _;
        Scale::value => fn(_, _) -> _;
    }
}

fn errors() {
    keep! {
        PointId::index => fn(_) -> _;
        Error::new => fn(_) -> _;
        Error::about => fn(_, _) -> _;
        Error::with => fn(_, _) -> _;
        Error::at => fn(_, _) -> _;
        Error::bit => fn(_, _) -> _;
        Error::offset_by => fn(_, _) -> _;
        Error::is_incomplete => fn(_) -> _;
        ErrorKind::name => fn(_) -> _;
        ErrorKind::is_warning => fn(_) -> _;
        Key::name => fn(_) -> _;
        Key::pointer => fn(_) -> _;
        <Error as Display>::fmt => fn(_, _) -> _;
        <ErrorKind as Display>::fmt => fn(_, _) -> _;
        <Busy as Display>::fmt => fn(_, _) -> _;
        <SendError as Display>::fmt => fn(_, _) -> _;
    }
}

fn layouts() {
    keep! {
        Layout::<8, 4>::get => fn(_) -> _;
        Protocol::name => fn(_) -> _;
        UintSpec::new => fn(_, _) -> _;
        UintSpec::scaled => fn(_, _, _) -> _;
        Point::bool => fn(_, _, _, _) -> _;
        Point::enumeration => fn(_, _, _, _, _, _) -> _;
        Point::uint8 => fn(_, _, _, _) -> _;
        Point::uint16 => fn(_, _, _, _) -> _;
        Point::uint32 => fn(_, _, _, _) -> _;
        Point::binary => fn(_, _, _, _) -> _;
        Findings::all => fn(_) -> _;
        Findings::errors => fn(_) -> _;
        Findings::found => fn(_) -> _;
        Head::point_count => fn(_) -> _;
        Head::scale_count => fn(_) -> _;
        LayoutRef::new => fn(_, _, _, _) -> _;
        LayoutRef::protocol => fn(_) -> _;
        LayoutRef::point_count => fn(_) -> _;
        LayoutRef::writable_count => fn(_) -> _;
        LayoutRef::status_len => fn(_) -> _;
        LayoutRef::writable_len => fn(_) -> _;
        LayoutRef::flags_len => fn(_) -> _;
        LayoutRef::scale_count => fn(_) -> _;
        LayoutRef::mask_len => fn(_) -> _;
        LayoutRef::access => fn(_, _) -> _;
        LayoutRef::limits => fn(_, _) -> _;
        LayoutRef::scale => fn(_, _) -> _;
        LayoutRef::p0_len => fn(_, _) -> _;
        LayoutRef::view => fn(_, _) -> _;
        LayoutRef::view_lax => fn(_, _) -> _;
        LayoutRef::view_control => fn(_, _) -> _;
        LayoutRef::view_known => fn(_, _, _) -> _;
        <LayoutRef as PartialEq>::eq => fn(_, _) -> _;
        Mask::new => fn(_) -> _;
        Mask::bytes => fn(_) -> _;
        Mask::contains => fn(_, _) -> _;
        Mask::ids => fn(_) -> _;
        <Ids as Iterator>::next => fn(_) -> _;
    }
}

fn messages() {
    keep! {
        Action::code => fn(_, _) -> _;
        Action::from_code => fn(_) -> _;
        Action::name => fn(_) -> _;
        P0::parse => fn(_, _) -> _;
        P0::parse_lax => fn(_, _) -> _;
        PointValue::id => fn(_) -> _;
        PointValue::raw => fn(_) -> _;
        PointValue::value => fn(_) -> _;
        PointValue::span => fn(_) -> _;
        PointValue::flagged => fn(_) -> _;
        View::read => fn(_, _) -> _;
        View::get => fn(_, _) -> _;
        View::raw => fn(_, _) -> _;
        View::iter => fn(_) -> _;
        View::layout => fn(_) -> _;
        View::values => fn(_) -> _;
        View::read_values => fn(_, _) -> _;
        View::read_decimals => fn(_, _) -> _;
        View::read_f64s => fn(_, _) -> _;
        View::merge_into => fn(_, _, _) -> _;
        View::is_whole => fn(_) -> _;
        View::is_exact => fn(_) -> _;
        View::missing => fn(_) -> _;
        View::extra => fn(_) -> _;
        View::is_whole_body => fn(_) -> _;
        |view: &View<'_, '_>| View::surplus_flags(view).max() => fn(_) -> _;
        <View as IntoIterator>::into_iter => fn(_) -> _;
        <Iter as Iterator>::next => fn(_) -> _;
        <Iter as Iterator>::size_hint => fn(_) -> _;
        |values: Iter<'_, '_>| {
            let add = |sum: u32, value: PointValue<'_, '_>| sum.wrapping_add(value.id().0.into());
            <Iter as Iterator>::fold(values, 0, add)
        } => fn(_) -> _;
        Wanted::is_all => fn(_) -> _;
        Wanted::contains => fn(_, _) -> _;
        |wanted: Wanted<'_>| Wanted::ids(wanted).max() => fn(_) -> _;
        |wanted: Wanted<'_>| Wanted::surplus_flags(wanted).max() => fn(_) -> _;
        Encoder::begin => fn(_, _, _) -> _;
        Encoder::rounding => fn(_, _) -> _;
        Encoder::set => fn(_, _, _) -> _;
        Encoder::set_raw => fn(_, _, _) -> _;
        Encoder::want => fn(_, _) -> _;
        Encoder::finish => fn(_) -> _;
    }
}

fn m2m_frames() {
    keep! {
        m2m::Frame::has_sn => fn(_) -> _;
        m2m::Frame::has_p0 => fn(_) -> _;
        m2m::Frame::p0 => fn(_) -> _;
        m2m::Frame::encode => fn(_, _) -> _;
        m2m::Frame::message => fn(_) -> _;
        m2m::parse => fn(_, _) -> _;
        m2m::scan => fn(_, _) -> _;
        m2m::Decoder::new => fn(_) -> _;
        m2m::Decoder::push => fn(_, _) -> _;
        m2m::Decoder::next_event => fn(_) -> _;
        m2m::Decoder::skipped => fn(_) -> _;
        m2m::DeviceInfo::api_server => fn(_) -> _;
        m2m::DeviceInfo::version => fn(_) -> _;
        m2m::DeviceInfo::extra => fn(_) -> _;
        m2m::ModuleInfo::find_product_key => fn(_) -> _;
        m2m::Hotspots::parse => fn(_) -> _;
        m2m::Hotspots::bytes => fn(_) -> _;
        |hotspots: m2m::Hotspots<'_>| m2m::Hotspots::iter(hotspots).count() => fn(_) -> _;
        m2m::Message::command => fn(_) -> _;
        m2m::Message::sn => fn(_) -> _;
        m2m::Message::product_key => fn(_) -> _;
        m2m::Message::encode_body => fn(_, _) -> _;
        m2m::Message::encode => fn(_, _) -> _;
    }
}

fn uart_frames() {
    keep! {
        uart::Command::name => fn(_) -> _;
        uart::Command::ack => fn(_) -> _;
        uart::Command::request => fn(_) -> _;
        uart::Command::is_ack => fn(_) -> _;
        uart::Command::is_known => fn(_) -> _;
        uart::Decoder::new => fn(_) -> _;
        uart::Decoder::push => fn(_, _) -> _;
        uart::Decoder::next_event => fn(_, _) -> _;
        uart::Decoder::is_within => fn(_) -> _;
        uart::parse => fn(_, _) -> _;
        |frame: &uart::Frame<'_>, sink: Sink<'_>| uart::Frame::write(frame, sink) => fn(_, _);
        uart::Frame::encode => fn(_, _) -> _;
        uart::Frame::message => fn(_) -> _;
        uart::Writer::<Sink<'_>>::begin => fn(_, _, _, _, _) -> _;
        uart::Writer::<Sink<'_>>::put => fn(_, _);
        uart::Writer::<Sink<'_>>::end => fn(_);
        uart::write => fn(_, _, _, _);
        uart::DeviceInfo::new => fn(_) -> _;
        uart::DeviceInfo::hardware => fn(_, _) -> _;
        uart::DeviceInfo::software => fn(_, _) -> _;
        uart::DeviceInfo::bind_timeout => fn(_, _) -> _;
        uart::DeviceInfo::attributes => fn(_, _) -> _;
        uart::DeviceInfo::secret => fn(_, _) -> _;
        uart::DeviceInfo::bytes => fn(_) -> _;
        uart::DeviceInfo::product_key => fn(_) -> _;
        uart::DeviceInfo::parse => fn(_) -> _;
        uart::ConfigMode::code => fn(_) -> _;
        <uart::ConfigMode as From<u8>>::from => fn(_) -> _;
        uart::ModuleStatus::soft_ap => fn(_) -> _;
        uart::ModuleStatus::station => fn(_) -> _;
        uart::ModuleStatus::onboarding => fn(_) -> _;
        uart::ModuleStatus::binding => fn(_) -> _;
        uart::ModuleStatus::router => fn(_) -> _;
        uart::ModuleStatus::cloud => fn(_) -> _;
        uart::ModuleStatus::app => fn(_) -> _;
        uart::ModuleStatus::test => fn(_) -> _;
        uart::ModuleStatus::rssi => fn(_) -> _;
        uart::Time::bytes => fn(_) -> _;
        uart::Time::parse => fn(_) -> _;
        uart::Time::year => fn(_) -> _;
        uart::Time::date => fn(_) -> _;
        uart::Time::time => fn(_) -> _;
        uart::Time::unix => fn(_) -> _;
        uart::ModuleInfo::bytes => fn(_) -> _;
        uart::ModuleInfo::parse => fn(_) -> _;
        uart::ModuleInfo::kind => fn(_) -> _;
        uart::ModuleInfo::protocol => fn(_) -> _;
        uart::ModuleInfo::hardware => fn(_) -> _;
        uart::ModuleInfo::software => fn(_) -> _;
        uart::ModuleInfo::mac => fn(_) -> _;
        uart::ModuleInfo::ip => fn(_) -> _;
        uart::ModuleInfo::attributes => fn(_) -> _;
    }
}

/// The functions that are generic over the product and the policy.
fn of_product<M: Model + 'static, P: Policy>() {
    keep! {
        |update: Update<'_, M>, invalid: Invalid<'_>| Update::control(update, invalid)
            => fn(_, _) -> _;
        |update: Update<'_, M>, status: &mut M::Status, invalid: Invalid<'_>| {
            Update::apply(update, status, invalid)
        } => fn(_, _, _);
        Update::<M>::is_valid => fn(_) -> _;
        model::update::<M> => fn(_) -> _;
        model::encode::<M> => fn(_) -> _;
        model::encode_control::<M> => fn(_, _) -> _;
        model::encode_control_frame::<M> => fn(_, _, _) -> _;
        model::encode_report::<M> => fn(_, _) -> _;
        model::merge::<M> => fn(_, _) -> _;
        Link::<M, P>::new => fn(_, _) -> _;
        Link::<M, P>::room => fn() -> _;
        |link: &Link<'_, M, P>| Link::invalid(link).max() => fn(_) -> _;
        Link::<M, P>::longest => fn(_) -> _;
        Link::<M, P>::with_state => fn(_, _, _) -> _;
        Link::<M, P>::with_outbox => fn(_, _) -> _;
        Link::<M, P>::state => fn(_) -> _;
        Link::<M, P>::request => fn(_, _) -> _;
        Link::<M, P>::send => fn(_, _) -> _;
        Link::<M, P>::answer => fn(_, _, _, _, _);
        |link: &mut Link<'_, M, P>, byte: u8, now: u32, sink: Sink<'_>| {
            matches!(Link::receive(link, byte, now, sink), Some(Event::Reboot))
        } => fn(_, _, _, _) -> _;
        |link: &mut Link<'_, M, P>, now: u32, status: &M::Status, sink: Sink<'_>| {
            matches!(Link::poll(link, now, status, sink), Some(Event::Reboot))
        } => fn(_, _, _, _) -> _;
        Link::<M, P>::wait => fn(_, _) -> _;
        |id: u16, index: u32, labels: u32, last: u32, mut invalid: Invalid<'_>| {
            model::label::<P>(id, index, labels, || last, &mut invalid)
        } => fn(_, _, _, _, _) -> _;
        |id: u16, raw: u32, limits: (u32, u32), last: u32, mut invalid: Invalid<'_>| {
            model::limited::<P>(id, raw, limits, || last, &mut invalid)
        } => fn(_, _, _, _, _) -> _;
        |value: i32, scale: (i32, i32), limits: (u32, u32), last: u32, mut invalid: Invalid<'_>| {
            model::unscaled::<P>(0, value, scale, limits, || last, &mut invalid)
        } => fn(_, _, _, _, _) -> _;
        |value: i64, scale: (i64, i64), limits: (u32, u32), last: u32, mut invalid: Invalid<'_>| {
            model::unscaled_wide::<P>(0, value, scale, limits, || last, &mut invalid)
        } => fn(_, _, _, _, _) -> _;
    }
}

fn links() {
    keep! {
        Request::configure => fn(_) -> _;
        Request::from_command => fn(_, _) -> _;
        Request::module => fn(_) -> _;
        |id: u16, index: u32, labels: u32, mut invalid: Invalid<'_>| {
            model::check_label(id, index, labels, &mut invalid)
        } => fn(_, _, _, _) -> _;
        |id: u16, raw: u32, limits: (u32, u32), mut invalid: Invalid<'_>| {
            model::check_limits(id, raw, limits, &mut invalid)
        } => fn(_, _, _, _) -> _;
        model::bits => fn(_, _, _, _) -> _;
        model::array::<4> => fn(_) -> _;
    }
    of_product::<product::Product, DefaultPolicy>();
    of_product::<product::Product, OtherPolicy>();
    of_product::<toy::Product, DefaultPolicy>();
    of_product::<toy::Product, OtherPolicy>();
}

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    numbers();
    errors();
    layouts();
    messages();
    m2m_frames();
    uart_frames();
    links();
    board::exit(true)
}
