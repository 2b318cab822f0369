import type { Burst } from '../../src/burst/burst.js'
import { LearningSwitch } from '../../src/programs/learning-switch.js'
import type { PortDirectory, Program, ProgramContext } from '../../src/programs/program.js'

/** Octets 4 and 5 of every address. */
export const HIGH = 0x2a01

/** Octets 0 to 3 of the address of a port, octet 0 lowest. */
export const lowOf = (port: number) => (port << 8) | 0x02

/**
 * A learning switch for frames without addresses, as net_null makes them: each gets that of its port as source and that of
 * the other port as destination.
 */
class AddressedSwitch implements Program {
  readonly #names: readonly [string, string]
  readonly #switch: LearningSwitch
  #ids: readonly [number, number] = [-1, -1]

  constructor(names: readonly [string, string], table: SharedArrayBuffer) {
    this.#names = names
    this.#switch = new LearningSwitch({ table })
  }

  burst(burst: Burst): void {
    const { view, offset, count } = burst
    const [source, destination] = this.#ids
    for (let i = 0; i < count; i++) {
      const at = offset[i] as number
      view.setInt32(at, lowOf(destination), true)
      view.setUint16(at + 4, HIGH, true)
      view.setInt32(at + 6, lowOf(source), true)
      view.setUint16(at + 10, HIGH, true)
    }
    this.#switch.burst(burst)
  }

  portsChanged(ports: PortDirectory): void {
    const id = (name: string) => ports.ids.get(name) ?? -1
    this.#ids = [id(this.#names[0]), id(this.#names[1])]
    this.#switch.portsChanged(ports)
  }
}

/** Makes the program of an lcore. */
export default function makeAddressedSwitch({ data }: ProgramContext): Program {
  const { names, table } = data as { names: [string, string]; table: SharedArrayBuffer }
  return new AddressedSwitch(names, table)
}
