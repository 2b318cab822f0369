import { socketFolder } from '../support/loopback.js'
import { type Accounts, Guests, type Received, type Sent } from './guests.js'
import { OvsSwitch, type PortColumns, type Refusal, type RuleSwitch } from './switches.js'

/** What came of the same frames. */
export interface Outcome {
  readonly ovs: Received
  readonly own: Received
}

/** Ours. */
export interface OwnSide extends RuleSwitch {
  /** For one that is not always given rules, of which one is that of the markers. */
  readonly accounts?: Accounts
}

/** OVS-DPDK and a switch of ours, each with guests of its own on its ports. */
export class Pair<Own extends OwnSide = OwnSide> implements AsyncDisposable {
  readonly ovs: OvsSwitch
  readonly own: Own
  readonly #guests: { readonly ovs: Guests; readonly own: Guests }
  readonly #stack: Disposables

  private constructor(
    ovs: OvsSwitch,
    own: Own,
    guests: { ovs: Guests; own: Guests },
    stack: Disposables,
  ) {
    this.ovs = ovs
    this.own = own
    this.#guests = guests
    this.#stack = stack
  }

  /**
   * @param columns - how OVS's ports are set up; each side has as many ports
   * @param startOwn - starts our switch between the sockets `0`, `1`, ... of a folder, where guests listen
   * @param isOvsCounted - whether OVS tells where frames end, instead of markers: mirrors would take these
   */
  static async start<Own extends OwnSide>(
    columns: readonly PortColumns[],
    startOwn: (folder: string) => Promise<Own>,
    isOvsCounted = false,
  ): Promise<Pair<Own>> {
    const stack = new Disposables()
    try {
      const folders = { ovs: stack.use(socketFolder()).path, own: stack.use(socketFolder()).path }
      const guests = {
        ovs: stack.use(await Guests.start(folders.ovs, 'ovs', columns.length)),
        own: stack.use(await Guests.start(folders.own, 'own', columns.length)),
      }
      const ovs = stack.use(await OvsSwitch.start(folders.ovs, columns))
      const own = stack.use(await startOwn(folders.own))
      await Promise.all([
        guests.ovs.up(isOvsCounted ? ovs.accounts : undefined),
        guests.own.up(own.accounts),
      ])
      await ovs.connected(columns.length)
      return new Pair(ovs, own, guests, stack)
    } catch (error) {
      await stack[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Gives both the rules that OVS takes. Returns the others. */
  async setRules(rules: readonly string[]): Promise<Refusal[]> {
    const refused = await this.ovs.setRules(rules)
    await this.own.setRules(rules.filter((rule) => !refused.some((one) => one.rule === rule)))
    return refused
  }

  /** Has the same frames sent to both. */
  async exchange(frames: readonly Sent[]): Promise<Outcome> {
    const { ovs, own } = this.#guests
    const [theirs, ours] = await Promise.all([ovs.exchange(frames), own.exchange(frames)])
    return { ovs: theirs, own: ours }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack[Symbol.asyncDispose]()
  }
}

/** What Node.js has from version 24 on: disposes of things, the last one first. */
class Disposables implements AsyncDisposable {
  readonly #things: (Disposable | AsyncDisposable)[] = []

  use<T extends Disposable | AsyncDisposable>(thing: T): T {
    this.#things.push(thing)
    return thing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const thing of this.#things.reverse()) {
      if (Symbol.asyncDispose in thing) await thing[Symbol.asyncDispose]()
      else thing[Symbol.dispose]()
    }
  }
}
