// Worlds that show a page at its limits.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Simulator } from "./harness.mjs";

export const AC = "a1b2c3d4e5f60718293a4b5c6d7e8f90";

/** A simulator of a world in TOML, with the definitions that it names: file name and definition. */
export async function worldOf(toml, definitions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "gizwits-"));
  try {
    for (const [name, definition] of Object.entries(definitions)) writeFileSync(join(folder, name), JSON.stringify(definition));
    writeFileSync(join(folder, "world.toml"), `[[enterprise]]\nid = "enterprise"\nsecret = "secret"\n${toml}\n`);
    return await Simulator.start("--scenario", join(folder, "world.toml"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A world with one product of a definition, or of a built-in definition by its name, and with devices in TOML. */
export const world = (devices, definition) =>
  worldOf(
    `[[product]]\ndefinition = "${typeof definition === "string" ? definition : "definition.json"}"\nkey = "${AC}"\nsecret = "secret"\n${devices}`,
    typeof definition === "string" ? {} : { "definition.json": definition },
  );

export const oneDevice = (did, more = "") => `[[device]]\nproduct = "${AC}"\nmac = "${did}-mac"\ndid = "${did}"\n${more}`;

function definition(name, protocolType, attrs) {
  const numbered = attrs.map((attr, id) => ({ id, display_name: "", desc: "", ...attr }));
  return { name, product_key: AC, protocolType, packetVersion: "0x00000004", entities: [{ id: 0, name: "entity0", attrs: numbered }] };
}

const bit = (name, type, byte_offset, bit_offset, len = 1, labels) => ({
  name, type, data_type: labels ? "enum" : "bool", ...(labels ? { enum: labels } : {}),
  position: { byte_offset, bit_offset, len, unit: "bit" },
});
const bytes = (name, type, data_type, byte_offset, len, uint_spec) => ({
  name, type, data_type, ...(uint_spec ? { uint_spec } : {}),
  position: { byte_offset, bit_offset: 0, len, unit: "byte" },
});
const range = (count, make) => Array.from({ length: count }, (_, n) => make(n));
const percent = { min: 0, max: 100, ratio: 1, addition: 0 };

/** A standard product with a status of 200 bytes. */
export const meter = definition("power meter", "standard", [
  ...range(16, (n) => bit(`switch_${n}`, "status_writable", n >> 3, n % 8)),
  ...range(4, (n) => bit(`mode_${n}`, "status_writable", 2, 2 * n, 2, ["off", "low", "middle", "high"])),
  ...range(20, (n) => bytes(`level_${n}`, "status_writable", "uint8", 3 + n, 1, percent)),
  bytes("schedule", "status_writable", "binary", 23, 24),
  bytes("serial_number", "status_readonly", "binary", 47, 8),
  ...range(36, (n) => bytes(`energy_${n}`, "status_readonly", "uint32", 55 + 4 * n, 4, { min: 0, max: 4000000000, ratio: 0.001, addition: 0 })),
  ...range(8, (n) => bit(`fault_with_a_long_name_${n}`, "fault", 199, n)),
]);

/** A var_len product with 71 points. */
export const pump = definition("wave pump 71", "var_len", [
  ...range(12, (n) => bit(`switch_${n}`, "status_writable", 0, n)),
  ...range(7, (n) => bit(`fault_${n}`, "fault", 0, 12 + n)),
  bit("mode", "status_writable", 0, 19, 3, ["wave", "pulse", "tide", "feed", "random"]),
  ...range(40, (n) => bytes(`flow_${n}`, "status_writable", "uint8", 3 + n, 1, percent)),
  ...range(11, (n) => bytes(`timer_${n}`, "status_writable", "binary", 43 + 8 * n, 8)),
]);
