import { readFileSync } from 'node:fs'
import type { Cpus } from './setup.js'

/**
 * Chooses where the two polling threads run.
 *
 * @param asked - switch and generator, when the user says
 */
export function chooseCpus(asked: readonly [number, number] | undefined): Cpus {
  const others = allowedCpus()
  const allowed = parseCpuList(others)
  if (asked === undefined) {
    const [first, second] = allowed
    if (first === undefined || second === undefined) {
      throw new Error('the bench needs two CPUs: one for the switch and one for the generator')
    }
    const siblings = siblingsOf(first)
    // Two hardware threads of one core would slow each other down.
    const apart = allowed.find((cpu) => !siblings.includes(cpu))
    return { switch: first, generator: apart ?? second, others }
  }
  const [ours, generator] = asked
  const wrong = asked.find((cpu) => !allowed.includes(cpu))
  if (wrong !== undefined)
    throw new Error(`--cpus: CPU ${wrong} is not among those allowed, ${others}`)
  if (ours === generator) throw new Error('--cpus: the switch and the generator need a CPU each')
  return { switch: ours, generator, others }
}

/** CPUs this process may use, as a list such as `0-3,8`. */
export function allowedCpus(): string {
  const status = readFileSync('/proc/self/status', 'utf8')
  return status.match(/^Cpus_allowed_list:\t(.*)$/m)?.[1] ?? '0'
}

/** Hardware threads that share a core with a CPU, itself included. */
export function siblingsOf(cpu: number): number[] {
  try {
    const file = `/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`
    return parseCpuList(readFileSync(file, 'utf8').trim())
  } catch {
    return [cpu]
  }
}

/** `0-2,5` as numbers. */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}
