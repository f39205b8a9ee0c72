// The simulator's time, and times for people.

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

const day = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });

/** The last reading of the simulator's clock, and the browser's time at that moment. */
let simulated = { now: Date.now(), runs: true, at: Date.now() };

/** Stores a reading of the simulator's clock. */
export const setClock = (reading) => (simulated = { ...reading, at: Date.now() });

export const now = () => simulated.now + (simulated.runs ? Date.now() - simulated.at : 0);

/** Formats milliseconds since 1970. The date is left out if it is today. */
export function time(at, format = clock) {
  const date = new Date(at);
  const today = date.toDateString() === new Date(now()).toDateString();
  return (today ? "" : `${day.format(date)} `) + format.format(date);
}
