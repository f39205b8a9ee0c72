// The simulator's time, and times for people.

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

const day = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });

/** What the simulator's clock said, and when: its time is not the browser's. */
let simulated = { now: Date.now(), runs: true, at: Date.now() };

/** Takes over what the simulator's clock says. */
export const setClock = (reading) => (simulated = { ...reading, at: Date.now() });

export const now = () => simulated.now + (simulated.runs ? Date.now() - simulated.at : 0);

/** A time of milliseconds since 1970, with its day unless that is today. */
export function time(at, format = clock) {
  const date = new Date(at);
  const today = date.toDateString() === new Date(now()).toDateString();
  return (today ? "" : `${day.format(date)} `) + format.format(date);
}
