// Server-sent events of the simulator.

import { Refused } from "./api.js";
import { linked, notice } from "./notice.js";
import { setClock } from "./time.js";

/** A stream of events. It is closed while the page is hidden, because a browser opens only six connections to a host. */
export class Live {
  constructor(target, on, last) {
    Object.assign(this, { target, on, last });
    this.turn = () => (document.hidden ? this.pause() : this.open());
    document.addEventListener("visibilitychange", this.turn);
    this.turn();
  }

  open() {
    if (this.source) return;
    const after = this.last ? `?after=${this.last}` : "";
    const source = (this.source = new EventSource(this.target + after));
    for (const name of ["clock", "hello", "device", "frame", "online", "remark"]) {
      source.addEventListener(name, (event) => {
        if (event.lastEventId) this.last = event.lastEventId;
        const data = JSON.parse(event.data);
        if (name === "hello") linked("live", "live");
        if (name === "clock") setClock(data);
        this.on[name]?.(data);
      });
    }
    source.addEventListener("error", () => {
      linked("lost", "connection lost, trying again…");
      if (source.readyState === EventSource.CLOSED && this.source === source) {
        // The server answered with an error. EventSource does not reconnect then, so the page does.
        this.pause();
        this.timer = setTimeout(this.turn, 3000);
        this.explain();
      }
    });
  }

  /** Shows the server's error. EventSource hides it, so the page asks again with fetch. */
  async explain() {
    const ends = new AbortController();
    const answer = await fetch(this.target, { signal: ends.signal, cache: "no-store" }).catch(() => null);
    if (answer && !answer.ok) {
      const { error } = await answer.json().catch(() => ({}));
      linked("lost", "not connected, trying again…");
      notice(new Refused(`No events: ${error ?? `HTTP ${answer.status}`}.`));
    }
    ends.abort();
  }

  pause() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  close() {
    document.removeEventListener("visibilitychange", this.turn);
    this.pause();
  }
}
