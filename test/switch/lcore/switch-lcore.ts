import type { PortDirectory } from '../../../src/programs/program.js'
import { newBridgeMemory } from '../../../src/switch/bridge/index.js'
import { newGuardMemory } from '../../../src/switch/guards/guards.js'
import type { BridgeImage } from '../../../src/switch/image.js'
import { SwitchProgram } from '../../../src/switch/lcore/program.js'
import { MadeUpBurst } from '../../support/made-up-burst.js'
import { attached, settings } from '../images.js'

/** An image of a bridge with these ports. */
export function imageOf(
  name: string,
  ports: readonly string[],
  given: Partial<BridgeImage> = {},
): BridgeImage {
  return {
    name,
    settings: settings(),
    ports: Object.fromEntries(ports.map((port) => [port, attached({ bridge: name })])),
    memory: newBridgeMemory(256),
    guards: newGuardMemory(),
    mirrorCounters: new Map(),
    flows: undefined,
    program: undefined,
    ...given,
  }
}

/** The URL of a program in `programs/`. */
export function userProgram(name: string): string {
  return new URL(`./programs/${name}.js`, import.meta.url).href
}

/** The switch's program on an lcore whose ports have their places as ids. */
export class SwitchLcore {
  readonly program: SwitchProgram
  readonly flow: MadeUpBurst

  constructor(ports: readonly string[]) {
    this.flow = new MadeUpBurst(ports.length)
    this.program = new SwitchProgram({ lcore: 0, ports: directory(ports), data: undefined })
  }

  /** Names of the ports by id; an empty one stands for none. */
  setPorts(ports: readonly string[]): void {
    this.program.portsChanged(directory(ports))
  }

  /** Ids of the ports that get something of one frame. */
  reaches(port: number, ...frames: Uint8Array[]): number[] {
    this.program.burst(this.flow.receive(port, frames))
    return this.flow
      .sent()
      .map((sent) => Number.parseInt(sent, 10))
      .sort((a, b) => a - b)
  }
}

function directory(ports: readonly string[]): PortDirectory {
  const there = ports.map((name, id) => [id, name] as const).filter(([, name]) => name !== '')
  return { names: new Map(there), ids: new Map(there.map(([id, name]) => [name, id])) }
}
