import type { Contender } from '../contender.js'
import { allowedCpus, parseCpuList } from '../cpus.js'
import { IMIX_BYTES } from '../flows/flows.js'
import type { Entry, Scenario } from '../plan.js'
import type { Effort } from '../section.js'
import { type Cpus, RINGS } from '../setup.js'

/** What all slices have but for what they are about: so their measurements meet in this point. */
const BASE = { ring: 'split', frameBytes: 64, queuePairs: 1, burst: 32 } as const

/** One place on the axis of a slice. */
export interface Place {
  /** What stands at the axis. */
  readonly label: string
  readonly scenario: Scenario
}

/** What the rate depends on, by one thing that changes and all others held. */
export interface Slice {
  readonly name: string
  readonly title: string
  /** Of what changes. */
  readonly axis: string
  readonly places: readonly Place[]
  /** Contenders that take part, by their names. */
  readonly contenders: readonly string[]
  /** Those that can, and do when they are named. */
  readonly able: readonly string[]
}

/** One of each kind, at all efforts; the others only when there is time, all of them for the rings only. */
const FEW = ['testpmd-io', 'ts-learning', 'ovs-normal']
const MORE = [...FEW, 'vswitch-normal']
/** Those that spread over several lcores. */
const SEVERAL = ['ts-io', 'vswitch-normal']
const ALL = ['testpmd-io', 'native-io', 'ts-io', 'ts-learning', 'ovs-normal', 'vswitch-normal']

const SIZES = [64, 128, 256, 512, 1024, 1500, 9000]

/**
 * The slices of an effort.
 *
 * @param lcores - CPUs of a switch with several lcores, see {@link lcoreCpus}
 */
export function slicesOf(effort: Effort, lcores: readonly number[]): Slice[] {
  const full = effort === 'full'
  const contenders = full ? MORE : FEW
  const takePart = (all = contenders, except = '') => ({
    contenders: all.filter((name) => name !== except),
    able: ALL.filter((name) => name !== except),
  })
  const sizes = full ? SIZES : [64, 512, 1500]
  const imix = { ...BASE, frameBytes: IMIX_BYTES, load: 'imix' } as const
  return [
    {
      name: 'sizes',
      title: 'Length of the frames',
      axis: 'bytes without FCS',
      places: [
        ...places(sizes, (frameBytes) => ({ ...BASE, frameBytes })),
        { label: 'IMIX', scenario: imix },
      ],
      ...takePart(),
    },
    {
      name: 'rings',
      title: 'Layout of the virtqueues',
      axis: 'layout',
      places: places(RINGS, (ring) => ({ ...BASE, ring })),
      ...takePart(full ? ALL : FEW),
    },
    {
      name: 'queue-pairs',
      title: 'Queue pairs of each guest',
      axis: 'queue pairs',
      places: places(full ? [1, 2, 3, 4] : [1, 4], (queuePairs) => ({ ...BASE, queuePairs })),
      // The loop of native-io knows one queue of each port.
      ...takePart(contenders, 'native-io'),
    },
    {
      name: 'bursts',
      title: 'Most frames of one burst',
      axis: 'frames',
      places: places(full ? [8, 16, 32, 64, 128, 256] : [8, 32, 256], (burst) => ({
        ...BASE,
        burst,
      })),
      // OVS has a limit of its own, 32.
      ...takePart(contenders, 'ovs-normal'),
    },
    {
      name: 'lcores',
      title: 'Lcores of the switch, with as many queue pairs',
      axis: 'lcores',
      places: places(
        lcores.map((_, i) => i + 1),
        (count) => ({ ...BASE, queuePairs: count, lcoreCpus: lcores.slice(0, count) }),
      ),
      contenders: lcores.length > 1 ? SEVERAL : [],
      able: SEVERAL,
    },
  ]
}

function places<T extends string | number>(
  values: readonly T[],
  scenario: (value: T) => Scenario,
): Place[] {
  return values.map((value) => ({ label: String(value), scenario: scenario(value) }))
}

/** Most lcores that are measured: a guest has as many queue pairs. */
const MOST_LCORES = 4

/** The switch's CPU and those that neither it nor the load uses. */
export function lcoreCpus(cpus: Cpus): number[] {
  const free = parseCpuList(allowedCpus()).filter(
    (cpu) => cpu !== cpus.switch && cpu !== cpus.generator,
  )
  return [cpus.switch, ...free].slice(0, MOST_LCORES)
}

/** What takes turns for these slices: a measurement that several of them need is taken once. */
export function sliceEntries(slices: readonly Slice[], contenders: readonly Contender[]): Entry[] {
  const entries = slices.flatMap((slice) =>
    slice.places.flatMap(({ scenario }) =>
      contenders
        .filter(({ name }) => slice.contenders.includes(name))
        .map((contender) => ({ contender, scenario })),
    ),
  )
  const byKey = new Map(
    entries.map((entry) => [keyOf(entry.contender.name, entry.scenario), entry]),
  )
  return [...byKey.values()]
}

/** `ts-io@split@64`, and what is not as usual: `ts-io@split@64@queuePairs=2`. */
export function keyOf(name: string, scenario: Scenario): string {
  const { ring, frameBytes, load, queuePairs = 1, burst = BASE.burst, lcoreCpus: cpus } = scenario
  const words = [name, ring, load === 'imix' ? 'imix' : frameBytes]
  if (queuePairs !== BASE.queuePairs) words.push(`queuePairs=${queuePairs}`)
  if (burst !== BASE.burst) words.push(`burst=${burst}`)
  if (cpus !== undefined && cpus.length > 1) words.push(`lcores=${cpus.length}`)
  return words.join('@')
}
