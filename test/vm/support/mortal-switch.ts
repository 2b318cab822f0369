import assert from 'node:assert/strict'
import type { PortOptions } from '../../../src/index.js'
import { Child } from '../../support/child.js'

const SCRIPT = new URL('../children/switch.js', import.meta.url)
const LIMIT_MS = 300_000

/** A learning switch in a process of its own, which is killed (SIGKILL) and started again with the same ports. */
export class MortalSwitch implements AsyncDisposable {
  readonly #ports: readonly PortOptions[]
  #child: Child | undefined

  static async start(ports: readonly PortOptions[]): Promise<MortalSwitch> {
    const vswitch = new MortalSwitch(ports)
    await vswitch.start()
    return vswitch
  }

  private constructor(ports: readonly PortOptions[]) {
    this.#ports = ports
  }

  /** Resolves when it has its ports; guests need not be there. */
  async start(): Promise<void> {
    this.#child = new Child(SCRIPT, [JSON.stringify(this.#ports)], { limitMs: LIMIT_MS })
    assert.equal(await this.#child.message(), 'started')
  }

  /** No goodbye to anybody. */
  async kill(): Promise<void> {
    await this.#child?.[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}
