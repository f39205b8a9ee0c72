//! The serial link between an MCU and its Wi-Fi module.
