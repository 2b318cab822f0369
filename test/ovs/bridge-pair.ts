import { isDeepStrictEqual } from 'node:util'
import { BridgeSwitch, columnsOf, type Mirroring, type PortKind } from './bridge-switch.js'
import { smallest } from './explain.js'
import type { Sent } from './guests.js'
import { type Outcome, Pair } from './pair.js'

/** What lets OVS switch. */
const NORMAL = 'priority=0,actions=normal'

/** A VLAN of ports that are not used. */
const SPARE = 99

/** Frames of one time, and whether they are sent twice: then OVS decides the second ones by what it remembers. */
export interface Step {
  readonly frames: readonly Sent[]
  readonly twice: boolean
}

/** How both sides are set up. Without rules they switch, ours by its bridge alone. */
export interface Scene {
  readonly kinds: readonly PortKind[]
  readonly rules?: readonly string[]
  readonly mirrors?: readonly Mirroring[]
}

/** A bridge of OVS and one of ours. */
export class BridgePair implements AsyncDisposable {
  readonly #pair: Pair<BridgeSwitch>
  readonly #ports: number
  #scene: Scene = { kinds: [] }
  #steps: Step[] = []

  private constructor(pair: Pair<BridgeSwitch>, ports: number) {
    this.#pair = pair
    this.#ports = ports
  }

  static async start(ports: number, { isOvsCounted = false } = {}): Promise<BridgePair> {
    const kinds = Array.from({ length: ports }, () => ({}))
    const startOwn = (folder: string) => BridgeSwitch.start(folder, kinds)
    return new BridgePair(await Pair.start(kinds.map(columnsOf), startOwn, isOvsCounted), ports)
  }

  /** Begins anew, with no address known. */
  async set(given: Scene): Promise<void> {
    const { ovs, own } = this.#pair
    // Those that are left over carry a VLAN that no other does.
    const spare = Array.from({ length: this.#ports - given.kinds.length }, () => ({ tag: SPARE }))
    const scene = { ...given, kinds: [...given.kinds, ...spare] }
    const { kinds, rules, mirrors = [] } = scene
    this.#scene = scene
    await ovs.setPorts(kinds.map(columnsOf))
    await own.setPorts(kinds)
    await ovs.setMirrors(mirrors)
    await own.setMirrors(mirrors)
    const refused = await ovs.setRules(rules ?? [NORMAL])
    if (refused.length > 0) throw new Error(refused.map(({ why }) => why).join())
    await own.setRules(rules)
    await this.#forget()
  }

  /** Has both switch these frames. Returns what came of them, or throws the smallest case in which it was not the same. */
  async same(step: Step): Promise<Outcome> {
    this.#steps.push(step)
    const outcomes = await this.exchange(step)
    const time = outcomes.findIndex(({ ovs, own }) => !isDeepStrictEqual(ovs, own))
    if (time >= 0) {
      const seen = `time ${time} of step ${this.#steps.length - 1}`
      const lines = this.#scene.kinds.map((kind, i) => `port ${i} ${JSON.stringify(kind)}`)
      const { rules = [] } = this.#scene
      lines.push(...rules, seen, ...differences(outcomes[time] as Outcome))
      throw new Error([...lines, ...(await this.#explain())].join('\n'))
    }
    return outcomes[0] as Outcome
  }

  /** What comes of these frames, each time. */
  async exchange({ frames, twice }: Step): Promise<Outcome[]> {
    const outcomes = [await this.#pair.exchange(frames)]
    if (twice) outcomes.push(await this.#pair.exchange(frames))
    await this.#pair.ovs.forgetFlows()
    return outcomes
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pair[Symbol.asyncDispose]()
  }

  async #forget(): Promise<void> {
    this.#steps = []
    await this.#pair.ovs.flush()
    this.#pair.own.flush()
  }

  /** The smallest case that shows the difference seen last, for people. */
  async #explain(): Promise<string[]> {
    const steps = this.#steps
    const all = steps.flatMap(({ frames }, step) => frames.map((sent) => ({ step, sent })))
    const isLast = ({ step }: { step: number }) => step === steps.length - 1
    /** What comes of the frames of the last step. */
    const run = async (some: readonly (typeof all)[number][]) => {
      await this.#forget()
      let outcomes: Outcome[] = []
      for (const [i, { twice }] of steps.entries()) {
        const frames = some.filter(({ step }) => step === i).map(({ sent }) => sent)
        if (frames.length > 0) outcomes = await this.exchange({ frames, twice })
      }
      return outcomes.find(({ ovs, own }) => !isDeepStrictEqual(ovs, own))
    }
    if ((await run(all)) === undefined) return ['not again with the same frames']
    const before = all.filter((one) => !isLast(one))
    const shows = async (some: typeof all) => (await run(some)) !== undefined
    const shown = await smallest(all.filter(isLast), (some) => shows([...before, ...some]))
    // Several at a time may be one another's reason if nobody said before where he is.
    const reasons =
      shown.length === 1 ? await smallest(before, (some) => shows([...some, ...shown])) : before
    const left = [...reasons, ...shown]
    const outcome = await run(left)
    const lines = left.map(
      ({ step, sent }) =>
        `step ${step}: from port ${sent.port} ${Buffer.from(sent.bytes).toString('hex')}`,
    )
    lines.push(...(outcome === undefined ? ['not again'] : differences(outcome)))
    const last = left.at(-1)?.sent
    if (last !== undefined) lines.push(await this.#pair.ovs.trace(last.port, last.bytes))
    return lines
  }
}

/** Frames that came from one side alone. */
function differences({ ovs, own }: Outcome): string[] {
  return ovs.flatMap((theirs, port) => {
    const ours = [...(own[port] as string[])]
    const more = theirs.filter((frame) => {
      const at = ours.indexOf(frame)
      if (at >= 0) ours.splice(at, 1)
      return at < 0
    })
    return [
      ...more.map((frame) => `to port ${port} only OVS sent ${frame}`),
      ...ours.map((frame) => `to port ${port} only we sent  ${frame}`),
    ]
  })
}
