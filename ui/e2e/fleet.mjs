// @ts-check
// A hub and appliances as real processes in a temporary folder, for tests and screenshots. Everything listens on loopback,
// and everything that was started is ended by its process id.
import { execFile, spawn } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const checkout = resolve(import.meta.dirname, "../..");

/** Where the programs are: `PARKDESK_BIN`, else the debug build. */
export const bins =
  process.env.PARKDESK_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(checkout, "target"), "debug");

/** Where the seven photos of set-up are. */
export const photos = join(checkout, ".setup/photos");

/** The built pages. */
const ui = process.env.PARKDESK_UI ?? join(checkout, "ui/dist");

const environment = {
  ...process.env,
  PARKDESK_LOG: "info",
  LC_ALL: "C.UTF-8",
  PARKDESK_WEIGHTS: process.env.PARKDESK_WEIGHTS ?? join(checkout, ".setup/weights"),
};

/**
 * Asks until there is an answer.
 * @template T
 * @param {string} what what is waited for, for the message
 * @param {() => Promise<T | undefined | false | null>} ask
 * @param {number} [seconds]
 * @returns {Promise<T>}
 */
export async function until(what, ask, seconds = 30) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain for: ${what}`);
    await sleep(50);
  }
}

class Program {
  /**
   * @param {string} name
   * @param {string[]} args
   * @param {string} log
   */
  constructor(name, args, log) {
    this.name = name;
    this.log = log;
    const out = createWriteStream(log, { flags: "a" });
    this.child = spawn(join(bins, name), args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout.pipe(out);
    this.child.stderr.pipe(out);
    this.ended = new Promise((done) => this.child.once("exit", done));
  }

  async check() {
    if (this.child.exitCode === null && this.child.signalCode === null) return;
    const tail = (await readFile(this.log, "utf8")).split("\n").slice(-15).join("\n");
    throw new Error(`${this.name} ended:\n${tail}`);
  }

  /** @param {"SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"} signal */
  async end(signal = "SIGTERM") {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill(signal);
    const late = setTimeout(() => this.child.kill("SIGKILL"), 10_000);
    await this.ended;
    clearTimeout(late);
  }
}

export class Hub {
  /** @param {string} dir @param {string} logs */
  constructor(dir, logs) {
    this.dir = dir;
    this.log = join(logs, "hub.log");
    this.listen = "127.0.0.1:0";
  }

  async start() {
    await writeFile(this.log, "");
    this.program = new Program(
      "parkdesk-hub",
      ["serve", "--data", this.dir, "--listen", this.listen],
      this.log,
    );
    const line = await until("the hub's ready line", async () => {
      await this.program?.check();
      const lines = (await readFile(this.log, "utf8")).split("\n");
      return lines.find((text) => text.includes('"ready":true'));
    });
    // The same port after a restart: appliances keep the address they enrolled at.
    this.listen = JSON.parse(line).address;
    this.url = `http://${this.listen}`;
  }

  async stop() {
    await this.program?.end();
  }

  /** @param {string[]} args */
  async admin(...args) {
    const { stdout } = await run(
      join(bins, "parkdesk-hub"),
      ["admin", "--data", this.dir, ...args, "--json"],
      {
        env: environment,
      },
    );
    return JSON.parse(stdout);
  }

  /** A one-time code for a new appliance. @param {string} role @param {string} park */
  async code(role, park) {
    return (await this.admin("enrol-code", "--role", role, "--park", park)).code;
  }

  /** @param {string} park @param {string} csv */
  async importDrivers(park, csv) {
    const file = join(this.dir, "drivers.csv");
    await writeFile(file, csv);
    await this.admin("driver", "import", file, "--park", park);
  }
}

export class Appliance {
  /** @param {string} dir @param {string} logs @param {string} name */
  constructor(dir, logs, name) {
    this.dir = join(dir, name);
    this.key = join(dir, `${name}.key`);
    this.log = join(logs, `${name}.log`);
    this.name = name;
    this.listen = "127.0.0.1:0";
  }

  /** Starts it for browsers; `more` are further arguments of `run`. @param {string[]} more */
  async start(...more) {
    const args = [
      "run",
      "--data",
      this.dir,
      "--key-file",
      this.key,
      "--listen",
      this.listen,
      "--ui",
      ui,
      "--reconnect-spread",
      "0",
    ];
    this.program = new Program("parkdesk-agent", [...args, ...more], this.log);
    await until(`the socket of ${this.name}`, async () => {
      await this.program?.check();
      return this.link().catch(() => undefined);
    });
  }

  /** A link that lets one browser in, once. @returns {Promise<string>} */
  async link() {
    const url = (await this.ask("open")).url;
    this.listen = new URL(url).host;
    return url;
  }

  /** Enrols without a browser; it must not run. @param {Hub} hub @param {string} role @param {string} park */
  async enrol(hub, role, park) {
    const code = await hub.code(role, park);
    const args = [
      "enrol",
      "--data",
      this.dir,
      "--key-file",
      this.key,
      "--hub",
      hub.url ?? "",
      "--code",
      code,
    ];
    await run(join(bins, "parkdesk-agent"), [...args, "--name", this.name, "--json"], { env: environment });
  }

  /** Asks the running appliance, as its command line does. @param {string[]} args */
  async ask(...args) {
    const { stdout } = await run(join(bins, "parkdesk-agent"), [...args, "--data", this.dir, "--json"], {
      env: environment,
      maxBuffer: 64 << 20,
    });
    return JSON.parse(stdout);
  }

  /** @param {"SIGTERM" | "SIGKILL"} [signal] */
  async stop(signal) {
    await this.program?.end(signal);
  }
}

export const DRIVERS = `driver_id,last_name,first_name,middle_name,phones,licence,plate
demo-sokolov,Соколов,Артём,Петрович,+7 916 123-45-67,77 АВ 123456,А 123 ВС 77
demo-orlov,Орлов,Семён,Ильич,+7 903 765-43-21,99 ХЕ 654321,К 777 ОМ 99
demo-konst,Константинопольская-Задунайская,Аполлинария,Вячеславовна,+7 925 000-11-22,77 ОО 112233,М 909 ММ 797
`;

/** A temporary world: one hub with one park, its folders, and what ends it all. */
export class World {
  static async open() {
    const dir = await mkdtemp(join(tmpdir(), "parkdesk-e2e-"));
    const world = new World(dir);
    await mkdir(world.logs);
    if (!existsSync(join(bins, "parkdesk-hub")))
      throw new Error(`no programs in ${bins}: run cargo build --workspace`);
    return world;
  }

  /** @param {string} dir */
  constructor(dir) {
    this.dir = dir;
    this.logs = join(dir, "logs");
    this.park = "demo";
    /** @type {Appliance[]} */
    this.appliances = [];
    this.hub = new Hub(join(dir, "hub"), this.logs);
  }

  async startHub(drivers = DRIVERS) {
    await this.hub.start();
    await this.hub.admin(
      "park",
      "create",
      "--id",
      this.park,
      "--name",
      "Демо-парк",
      "--city",
      "msk",
      "--faces",
      "search",
    );
    await this.hub.importDrivers(this.park, drivers);
  }

  /** @param {string} name */
  appliance(name) {
    const appliance = new Appliance(this.dir, this.logs, name);
    this.appliances.push(appliance);
    return appliance;
  }

  async close() {
    for (const appliance of this.appliances) await appliance.stop();
    await this.hub.stop();
    if (process.env.PARKDESK_KEEP) console.error(`kept: ${this.dir}`);
    else await rm(this.dir, { recursive: true, force: true });
  }
}
