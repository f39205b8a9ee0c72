//! A capture file of TCP segments and UDP datagrams.

use std::collections::HashMap;
use std::net::Ipv4Addr;

/// The address of an end of a connection.
pub(crate) type End = (Ipv4Addr, u16);

/// The maximum length of a UDP payload over IPv4.
pub(crate) const MAX_DATAGRAM: usize = 65_507;

/// A capture of packets that begin with their IP header.
pub(crate) struct Pcap {
    bytes: Vec<u8>,
    packets: u32,
    /// The next sequence number of each direction.
    sequence: HashMap<(End, End), u32>,
}

impl Pcap {
    pub(crate) fn new() -> Self {
        let mut bytes = Vec::new();
        // Magic, version 2.4, time zone, accuracy, longest packet, and the link type of raw IP.
        for word in [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 0x0004_0000, 101] {
            bytes.extend(word.to_be_bytes());
        }
        Pcap {
            bytes,
            packets: 0,
            sequence: HashMap::new(),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends a segment of a connection, which continues the segments before it.
    pub(crate) fn segment(&mut self, from: End, to: End, payload: &[u8]) {
        let next = self.sequence.entry((from, to)).or_insert(1);
        let number = *next;
        *next += payload.len() as u32;
        let acknowledged = *self.sequence.get(&(to, from)).unwrap_or(&1);
        let mut tcp = ports(from, to);
        tcp.extend(number.to_be_bytes());
        tcp.extend(acknowledged.to_be_bytes());
        // A header of 20 bytes, the flags PSH and ACK, and the window. Checksums are 0, and not verified.
        tcp.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(payload);
        self.packet(6, from, to, &tcp);
    }

    /// Appends a datagram.
    pub(crate) fn datagram(&mut self, from: End, to: End, payload: &[u8]) {
        let mut udp = ports(from, to);
        udp.extend((8 + payload.len() as u16).to_be_bytes());
        udp.extend([0, 0]);
        udp.extend(payload);
        self.packet(17, from, to, &udp);
    }

    fn packet(&mut self, protocol: u8, from: End, to: End, payload: &[u8]) {
        let length = 20 + payload.len() as u16;
        let mut ip = vec![0x45, 0];
        ip.extend(length.to_be_bytes());
        ip.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
        ip.extend(from.0.octets());
        ip.extend(to.0.octets());
        ip.extend(payload);
        // Packets are 10 ms apart.
        let (seconds, microseconds) = (self.packets / 100, self.packets % 100 * 10_000);
        self.packets += 1;
        for word in [
            1_700_000_000 + seconds,
            microseconds,
            u32::from(length),
            u32::from(length),
        ] {
            self.bytes.extend(word.to_be_bytes());
        }
        self.bytes.extend(ip);
    }
}

fn ports(from: End, to: End) -> Vec<u8> {
    [from.1.to_be_bytes(), to.1.to_be_bytes()].concat()
}
