import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as YAML from 'yaml'
import type { BenchProcess } from '../../../bench/process.js'
import { until } from '../../support/loopback.js'
import type { Machine, Outcome } from './machine.js'

const CLI = fileURLToPath(new URL('../../../src/switch/cli/main.js', import.meta.url))

/** Our switch in a machine, and its command. */
export class Vswitch {
  readonly file: string
  readonly #machine: Machine
  #daemon: BenchProcess | undefined

  /** @param ports - as in a configuration */
  static async start(machine: Machine, ports: readonly object[]): Promise<Vswitch> {
    const self = new Vswitch(machine)
    const settings = { datapath: { memory: 'memfd', memoryMiB: 64 }, bridges: [{ name: 'br-int' }] }
    writeFileSync(self.file, YAML.stringify({ ...settings, ports }))
    await self.run()
    return self
  }

  private constructor(machine: Machine) {
    this.#machine = machine
    this.file = join(machine.folder, 'vswitch.yaml')
  }

  /** Starts the process. */
  async run(): Promise<void> {
    this.#daemon = this.#machine.daemon(process.execPath, CLI, 'run', this.file)
    const answers = () => vswitch(this.#machine, 'ports', '--json').code === 0
    await Promise.race([until('vswitch answers', answers, 30_000), this.#daemon.failed])
  }

  /** Ends it by SIGKILL. */
  async kill(): Promise<void> {
    await this.#daemon?.[Symbol.asyncDispose]()
  }
}

/** Runs our command in a machine. */
export function vswitch(machine: Machine, ...args: readonly string[]): Outcome {
  return machine.run(process.execPath, [CLI, ...args])
}

/** The same, not waited for. */
export function vswitchDaemon(machine: Machine, ...args: readonly string[]): BenchProcess {
  return machine.daemon(process.execPath, CLI, ...args)
}
