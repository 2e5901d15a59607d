// Prints the readings of a plant as they come: an example client of InQube's live feed, without packages.
//
//   export INQUBE_EMAIL=viewer@inqube.example INQUBE_PASSWORD=…
//   node live.mjs kandy                              # Node.js 22 or later
//   node --experimental-websocket live.mjs kandy     # Node.js 20
//
// INQUBE_URL names the server, http://localhost:8000 if unset. Readings go to standard output, what happens to the
// connection to standard error. Ctrl-C ends it.
//
// A page of another origin uses it too, if CORS_ALLOWED_ORIGINS of the server lists that origin:
//
//   import { follow } from "./live.mjs";
//   follow({ url, email, password, plant: "kandy", onReading: ({ address, time, value, unit, quality }) => … });

const PING_AFTER_MS = 5_000; // without a frame; the server closes a socket that says nothing for 30 s
const LONGEST_WAIT_MS = 30_000; // between two tries to connect
const RENEW_BEFORE_MS = 30_000; // a token that runs out sooner is not worth connecting with
const [NOT_AUTHENTICATED, PROTOCOL_VIOLATED, SERVER_RESTARTS, BROKEN] = [4401, 4409, 1012, 1006]; // close codes

/** What no other try would mend. */
class Refused extends Error {}

class HttpError extends Error {
  constructor(status, detail) {
    super(`the server answered ${status}, ${detail}`);
    this.status = status;
    this.detail = detail;
  }
}

/** REST, and who we are: a pair of tokens, of which the refresh token is good once, for the next pair. */
class Account {
  constructor(url, email, password) {
    this.api = `${url.replace(/\/+$/, "")}/api/v1`;
    this.email = email;
    this.password = password;
    this.goodUntil = 0;
  }

  /** The server's answer to a GET, or to a POST of a form or of JSON. */
  async ask(path, { form, body, headers = {} } = {}) {
    const request = { headers, signal: AbortSignal.timeout(10_000) };
    if (form) Object.assign(request, { method: "POST", body: new URLSearchParams(form) });
    if (body) {
      Object.assign(request, { method: "POST", body: JSON.stringify(body) });
      request.headers = { ...headers, "Content-Type": "application/json" };
    }
    const answer = await fetch(path.startsWith("http") ? path : this.api + path, request);
    const text = await answer.text();
    if (!answer.ok) throw new HttpError(answer.status, text.startsWith("{") ? JSON.parse(text).detail : text);
    return text ? JSON.parse(text) : null;
  }

  /** An access token that is good for a while. */
  async token() {
    return Date.now() < this.goodUntil - RENEW_BEFORE_MS ? this.access : this.renew();
  }

  async renew() {
    const pair = (await this.exchange()) ?? (await this.signIn());
    this.access = pair.access_token;
    this.refresh = pair.refresh_token;
    this.goodUntil = Date.now() + pair.expires_in * 1000;
    return this.access;
  }

  async exchange() {
    if (!this.refresh) return null;
    try {
      return await this.ask("/login/refresh", { body: { refresh_token: this.refresh } });
    } catch (error) {
      if (error.status === 400 || error.status === 401) return null; // this sign-in is over
      throw error;
    }
  }

  async signIn() {
    try {
      return await this.ask("/login/access-token", { form: { username: this.email, password: this.password } });
    } catch (error) {
      throw error.status === 400 ? new Refused(`Not signed in: ${error.detail}`) : error;
    }
  }

  async signOut() {
    if (this.refresh) await this.ask("/logout", { body: { refresh_token: this.refresh } });
  }

  /** The plant's sensors by number, which frames speak of. */
  async sensors(plant) {
    const found = new Map();
    let page = `/sensors/?${new URLSearchParams({ plant, page_size: 1000 })}`;
    while (page) {
      const answer = await this.ask(page, { headers: { Authorization: `Bearer ${this.access}` } });
      for (const sensor of answer.results) found.set(sensor.number, sensor);
      page = answer.next;
    }
    return found;
  }
}

/**
 * One socket. `take(frame, tell)` gets each frame, in order; what it throws ends the socket. Resolves to the close
 * code, or to that of a broken connection where the server no longer answers.
 */
function listen(url, protocols, take, signal) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols);
    const tell = (message) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));
    let quiet = 0;
    let taken = Promise.resolve();
    const watch = setInterval(() => {
      quiet += 1;
      if (quiet === 1) tell({ type: "ping" });
      else end(resolve, BROKEN);
    }, PING_AFTER_MS);
    const end = (settle, result) => {
      socket.onclose = socket.onerror = socket.onmessage = null; // closing may say so once more
      clearInterval(watch);
      signal?.removeEventListener("abort", stop);
      settle(result);
      socket.close();
    };
    const stop = () => end(resolve, 1000);
    signal?.addEventListener("abort", stop);
    socket.onmessage = ({ data }) => {
      quiet = 0;
      watch.refresh?.(); // in Node.js: count from now; in browsers the ping may come a little early
      taken = taken.then(() => take(JSON.parse(data), tell)).catch((error) => end(reject, error));
    };
    socket.onclose = ({ code }) => end(resolve, code);
    socket.onerror = () => end(resolve, BROKEN); // no socket at all; Node.js then says no more
  });
}

/** Follows a plant over as many sockets as it takes, until `signal` aborts. Throws what no other try would mend. */
export async function follow({ url, email, password, plant, onReading, onAlarm = () => {}, onNews = () => {}, signal }) {
  const account = new Account(url, email, password);
  const newest = new Map(); // milliseconds of the last reading, by sensor
  let sensors = new Map();
  const position = {}; // epoch and seq of the last frame, and the last alarm: from there we resume
  let failures = 0;
  let isSubscribed = false;

  async function takeReadings(frame) {
    const rows = frame.readings.filter(([number, ms]) => ms > (newest.get(number) ?? -1)); // a row may come twice
    if (rows.some(([number]) => !sensors.has(number))) sensors = await account.sensors(plant);
    if (failures || position.seq === undefined) {
      const whole = frame.type === "snapshot" ? "with a snapshot" : "from where it broke off";
      onNews(`${position.seq === undefined ? "Now" : "Again"} following ${plant}, ${whole}.`);
    }
    for (const [number, ms, value, quality] of rows) {
      newest.set(number, ms);
      const { address = `sensor ${number}`, unit = "", states = {} } = sensors.get(number) ?? {};
      const word = quality >= 192 ? "good" : quality >= 64 ? "uncertain" : "bad";
      onReading({ address, time: new Date(ms), value: states[value] ?? value, unit, quality: word });
    }
    // Last: what was not dealt with comes again.
    Object.assign(position, { epoch: frame.epoch ?? position.epoch, seq: frame.seq, alarm: frame.alarm ?? position.alarm });
    failures = 0;
  }

  async function take(frame, tell) {
    switch (frame.type) {
      case "ready":
        if (isSubscribed) onNews(`The token is renewed, good until ${frame.expires_at}.`);
        else tell({ type: "subscribe", plant, sensors: null, max_hz: 2, resume: position.seq === undefined ? null : position });
        isSubscribed = true;
        break;
      case "snapshot":
      case "delta":
        await takeReadings(frame);
        tell({ type: "ack", plant, seq: frame.seq });
        break;
      case "alarm": // each thing that happens to an alarm comes once, in order; after a reconnection, too
        onAlarm(frame.event, frame.alarm);
        position.alarm = frame.event.id;
        break;
      case "auth_expiring":
        tell({ type: "auth", access_token: await account.renew() });
        break;
      case "pong":
        onNews("Nothing new, but the server answers.");
        break;
      case "error":
        throw new Refused(frame.detail);
      default: // a later server may say more
    }
  }

  async function oneSocket() {
    const token = await account.token();
    isSubscribed = false;
    const socket = `${account.api.replace(/^http/, "ws")}/ws/telemetry`; // https becomes wss
    // Browsers can't set headers of a WebSocket: the token is a second subprotocol, which the server does not echo.
    return listen(socket, ["inqube.v1", `inqube.bearer.${token}`], take, signal);
  }

  while (!signal?.aborted) {
    let code = BROKEN;
    try {
      code = await oneSocket();
      if (!signal?.aborted) onNews(`The connection is closed (${code}).`);
    } catch (error) {
      if (error instanceof Refused) throw error;
      onNews(`No connection: ${error.cause?.message ?? error.message}.`);
    }
    if (code === PROTOCOL_VIOLATED) throw new Refused("The server says that this program is wrong.");
    if (code === NOT_AUTHENTICATED) account.goodUntil = 0; // another token, then
    if (code !== SERVER_RESTARTS) failures += 1;
    await sleep(code === SERVER_RESTARTS ? Math.random() * 2000 : backOff(failures), signal);
  }
  await account.signOut().catch(() => {}); // a server that is away forgets us when the tokens run out
}

/** Milliseconds; half of it is chance, so that not all clients come in one moment. */
function backOff(failures) {
  return Math.min(LONGEST_WAIT_MS, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
}

function sleep(ms, signal) {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const stop = () => resolve(clearTimeout(timer));
    signal?.addEventListener("abort", stop, { once: true });
  });
}

async function main({ argv, env }) {
  const say = (text) => console.error(text);
  const plant = argv[2];
  if (!env.INQUBE_EMAIL || !env.INQUBE_PASSWORD || !plant) {
    throw new Refused("Set INQUBE_EMAIL and INQUBE_PASSWORD, and name a plant: node live.mjs kandy");
  }
  if (!globalThis.WebSocket) {
    throw new Refused("This Node.js has no WebSocket. Take 22 or later, or 20 with --experimental-websocket.");
  }
  const ended = new AbortController();
  process.once("SIGINT", () => ended.abort());
  await follow({
    url: env.INQUBE_URL || "http://localhost:8000",
    email: env.INQUBE_EMAIL,
    password: env.INQUBE_PASSWORD,
    plant,
    signal: ended.signal,
    onNews: say,
    onReading: ({ address, time, value, unit, quality }) =>
      console.log(time.toISOString(), address, unit ? `${value} ${unit}` : `${value}`, quality),
    onAlarm: (event, alarm) => console.log(event.time, alarm.title, event.kind),
  });
  say("Ended.");
}

if (globalThis.process?.argv[1]?.endsWith("live.mjs")) {
  main(globalThis.process).catch((error) => {
    console.error(error instanceof Refused ? error.message : error);
    process.exit(1);
  });
}
