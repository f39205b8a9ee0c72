// Lets node-ph803w do what it can with a pH monitor, and prints a line of JSON for each event.
//
//     monitor.js MODULE HOST

const [module_, host] = process.argv.slice(2);
const { PH803WDevice, PH803WDiscovery } = require(module_);

const told = (operation, values) => console.log(JSON.stringify({ operation, ...values }));

async function main() {
  const discovery = new PH803WDiscovery();
  discovery.on("device", ({ ip, id, apiServer }) => told("found", { ip, id, apiServer }));
  await discovery.discover();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await discovery.stop();
  told("discover", {});

  const device = new PH803WDevice(host, { autoReconnect: false });
  device.on("error", (error) => told("error", { error: String(error) }));
  device.on("data", (data) => told("data", data));
  await device.connect();
  told("log in", { accepted: await device.login() });
  await device.retrieveData();
}

process.stdin.on("end", () => process.exit(0)).resume();
main().catch((error) => told("failed", { error: String(error) }));
