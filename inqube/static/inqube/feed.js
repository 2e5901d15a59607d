// The live feed: one socket that follows some plants, comes back by itself, and knows when it is not to be trusted.

const PATH = "/api/v1/ws/telemetry";
const PROTOCOL = "inqube.v1";
const MAX_HZ = 2;
const ASIDE_HZ = 0.1; // alarms do not wait for it
const PING_AFTER_MS = 5_000;
export const OFFLINE_AFTER_MS = 10_000; // without a frame: values are no longer shown as if they were live
const RETRY_LEAST_MS = 500;
const RETRY_MOST_MS = 15_000;
const SIGNED_OUT = 4401;
const SERVER_RESTARTS = 1012;
const RESTART_SPREAD_MS = 2_000; // a process that ends loses all its pages in one moment

export let pageFeed = null; // the first one of the page, for whoever wants to hear more on the same socket

/**
 * States: `connecting` until the first snapshot, then `live`; `reconnecting` from the moment the socket closes;
 * `offline` after 10 s without a frame; `ended` when trying again is no use (`reason` says why).
 *
 * Events: `state` after a change of state; `readings` with `{plant, readings}` for each snapshot and delta; `alarm` with
 * `{plant, event, alarm}` for each thing that happens to an alarm, without `event` where more was missed than is told.
 */
export class Feed extends EventTarget {
  /** `sensors`: by plant, the numbers of those to follow; without them all of the plant. */
  constructor(plants, sensors = {}) {
    super();
    pageFeed ??= this;
    this.sensors = sensors;
    this.aside = []; // plants of which alarms alone are heard
    this.waiting = new Set(plants); // have not sent a snapshot on this socket
    this.plants = plants;
    this.positions = new Map(); // plant → {epoch, seq, alarm}: where to resume
    this.state = "connecting";
    this.reason = "";
    this.signedOut = false;
    this.heardAt = Date.now(); // last frame: a pong says that the server lives, not that values still come
    this.answeredAt = this.heardAt; // last word of the server
    this.lostAt = this.heardAt; // last time the page was live
    this.failures = 0;
    this.retryAt = null;
    this.connect();
    setInterval(() => this.watch(), 1000);
    addEventListener("online", () => this.tryNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.state !== "live") this.tryNow();
    });
  }

  connect() {
    clearTimeout(this.retry);
    this.retryAt = null;
    this.openedAt = Date.now();
    this.isReady = false;
    this.waiting = new Set(this.plants);
    const url = new URL(PATH, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url, PROTOCOL);
    this.socket = socket;
    socket.addEventListener("message", (event) => {
      if (socket === this.socket) this.receive(JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.socket) this.closed(event.code);
    });
  }

  /** Gives up the present socket, if any, and connects at once. */
  tryNow() {
    if (this.state === "ended" || this.state === "live") return;
    if (this.socket?.readyState === WebSocket.CONNECTING && Date.now() - this.openedAt < 2000) return;
    this.abandon();
    this.connect();
  }

  abandon() {
    const socket = this.socket;
    this.socket = null; // its events no longer count
    socket?.close();
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  receive(message) {
    this.answeredAt = Date.now();
    switch (message.type) {
      case "ready":
        this.isReady = true;
        for (const plant of this.plants) this.subscribe(plant, this.sensors[plant] ?? null, MAX_HZ);
        for (const plant of this.aside) this.subscribe(plant, [], ASIDE_HZ);
        break;
      case "snapshot":
      case "delta":
        this.send({ type: "ack", plant: message.plant, seq: message.seq });
        this.moveOn(message);
        if (this.aside.includes(message.plant)) {
          this.hasHeardAside();
          break;
        }
        this.heardAt = Date.now();
        this.waiting.delete(message.plant);
        this.dispatchEvent(new CustomEvent("readings", { detail: message }));
        if (!this.waiting.size) {
          this.failures = 0;
          this.become("live");
        }
        break;
      case "alarm":
        this.position(message.plant).alarm = message.event.id;
        this.dispatchEvent(new CustomEvent("alarm", { detail: message }));
        break;
      case "error":
        if (this.aside.includes(message.plant)) this.aside = this.aside.filter((each) => each !== message.plant);
        else this.without(message.plant, message.detail);
        break;
      default: // pong; auth_expiring, which a session that goes on by itself can't act on
        if (!this.plants.length) this.heardAt = this.answeredAt;
    }
  }

  /** Also alarms of these plants, whose readings and silence are not this page's. */
  hear(plants) {
    const more = plants.filter((each) => !this.plants.includes(each) && !this.aside.includes(each));
    this.aside.push(...more);
    if (this.isReady) for (const plant of more) this.subscribe(plant, [], ASIDE_HZ);
  }

  /** Of a page that shows alarms and no readings, any word of the server says that it is live. */
  hasHeardAside() {
    if (this.plants.length) return;
    this.heardAt = Date.now();
    this.failures = 0;
    this.become("live");
  }

  subscribe(plant, sensors, max_hz) {
    const resume = this.resume(plant);
    this.send({ type: "subscribe", plant, sensors, max_hz, ...(resume && { resume }) });
  }

  /** Where to resume with a plant; `alarm` is the last event of its alarms. */
  position(plant) {
    if (!this.positions.has(plant)) this.positions.set(plant, {});
    return this.positions.get(plant);
  }

  resume(plant) {
    const position = this.positions.get(plant);
    return position?.seq === undefined ? null : position;
  }

  moveOn({ plant, epoch, seq, alarm }) {
    const position = this.position(plant);
    position.epoch = epoch ?? position.epoch;
    position.seq = seq;
    if (alarm === undefined || alarm === position.alarm) return; // of a snapshot alone
    position.alarm = alarm;
    this.dispatchEvent(new CustomEvent("alarm", { detail: { plant } }));
  }

  closed(code) {
    this.socket = null;
    if (this.state === "ended") return;
    if (code === SIGNED_OUT) {
      this.signedOut = true;
      this.end("You are signed out.");
      return;
    }
    const wait = code === SERVER_RESTARTS ? Math.random() * RESTART_SPREAD_MS : this.backOff();
    this.retryAt = Date.now() + wait;
    this.retry = setTimeout(() => this.connect(), wait);
    if (this.state === "live") this.become("reconnecting");
    else this.dispatchEvent(new Event("state"));
  }

  /** How long to wait after a failure; half of it is chance, so that not everybody comes in the same moment. */
  backOff() {
    const longest = Math.min(RETRY_MOST_MS, RETRY_LEAST_MS * 2 ** this.failures);
    this.failures += 1;
    return longest * (0.5 + Math.random() / 2);
  }

  watch() {
    if (this.state === "ended") return;
    if (Date.now() - this.answeredAt >= PING_AFTER_MS) this.send({ type: "ping" });
    const offline = Date.now() - (this.state === "live" ? this.heardAt : this.lostAt);
    if (offline < OFFLINE_AFTER_MS) return;
    this.become("offline");
    // A socket that is open and says nothing, or never opens: most likely the network went without a word.
    if (this.socket && Date.now() - Math.max(this.answeredAt, this.openedAt) >= OFFLINE_AFTER_MS) {
      this.abandon();
      this.closed(0);
    }
  }

  /** Goes on without a plant that the server ended; without any, there is nothing to follow. */
  without(plant, reason) {
    this.plants = this.plants.filter((each) => plant && each !== plant);
    this.waiting.delete(plant);
    if (!this.plants.length) this.end(reason);
    else if (!this.waiting.size) this.become("live");
  }

  end(reason) {
    this.reason = reason;
    this.abandon();
    clearTimeout(this.retry);
    this.retryAt = null;
    this.become("ended");
  }

  become(state) {
    if (this.state === "live" && state !== "live") this.lostAt = this.heardAt;
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
