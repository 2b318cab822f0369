/**
 * The program that every lcore of the switch runs: it hands each burst to the bridge of the port it came from.
 *
 * @packageDocumentation
 */
import type { CaptureImage } from 'dpdk-vhost/capture'
import { Recorder } from 'dpdk-vhost/capture/recorder'
import {
  type Burst,
  MAX_PORTS,
  type PortDirectory,
  type Program,
  type ProgramContext,
} from 'dpdk-vhost/programs/program'
import type { BridgeImage, LcoreMessage, SwitchImage } from '../image.js'
import { Pipeline } from './pipeline.js'

/**
 * An lcore puts its program aside when it throws 10 times in a row, and this is the program of all bridges: after so
 * many, one error is kept back. The bridge's own count goes on.
 */
const MOST_IN_ROW = 8

/** The program. */
export class SwitchProgram implements Program {
  readonly name = 'switch'
  readonly #lcore: number
  #directory: PortDirectory
  readonly #pipelines = new Map<string, Pipeline>()
  /** By port id: the pipeline, or what is captured around it. */
  readonly #byPort: (Pick<Program, 'burst'> | undefined)[] = new Array<undefined>(MAX_PORTS).fill(
    undefined,
  )
  readonly #recorder: Recorder
  /** Those that want turns without frames. */
  #idle: readonly Pipeline[] = []
  /** Changes of a bridge wait for those before them. */
  readonly #changes = new Map<string, Promise<unknown>>()
  #thrown = 0

  constructor({ lcore, ports }: ProgramContext) {
    this.#lcore = lcore
    this.#directory = ports
    this.#recorder = new Recorder(lcore)
  }

  burst(burst: Burst): void {
    const pipeline = this.#byPort[burst.inPort]
    if (pipeline === undefined) return
    try {
      pipeline.burst(burst)
      this.#thrown = 0
    } catch (error) {
      this.#pass(error)
    }
  }

  /** A turn for those programs that want one; without them the lcore may sleep. */
  idle(burst: Burst): boolean {
    if (this.#idle.length === 0) return false
    let wants = false
    try {
      if (this.#recorder.active) this.#recorder.received(burst)
      for (const pipeline of this.#idle) wants = pipeline.idle(burst) || wants
      if (this.#recorder.active) this.#recorder.sent(burst)
    } catch (error) {
      this.#pass(error)
    }
    return wants
  }

  portsChanged(ports: PortDirectory): void {
    this.#directory = ports
    for (const pipeline of this.#pipelines.values()) pipeline.portsChanged(ports)
    this.#recorder.portsChanged(ports)
    this.#assign()
  }

  message(message: unknown): unknown {
    const told = message as LcoreMessage
    switch (told.type) {
      case 'bridge':
        return this.#after(told.image.name, () => this.put(told.image))
      case 'removeBridge':
        return this.#after(told.name, () => this.#remove(told.name))
      case 'flows':
        return this.#after(told.bridge, () => this.#pipeline(told.bridge).followFlows(told.message))
      case 'captures':
        return this.capture(told.captures)
      case 'status':
        return {
          bridges: Object.fromEntries(
            Array.from(this.#pipelines, ([name, pipeline]) => [name, pipeline.status]),
          ),
        }
      default:
        throw new TypeError(`the switch's lcores take no message ${JSON.stringify(message)}`)
    }
  }

  close(): void {
    for (const pipeline of this.#pipelines.values()) pipeline.close()
    this.#pipelines.clear()
    this.#assign()
  }

  /** Puts an image of a bridge in force. */
  async put(image: BridgeImage): Promise<void> {
    const before = this.#pipelines.get(image.name)
    const pipeline =
      before?.fits(image) === true ? before : new Pipeline(image, this.#lcore, this.#directory)
    await pipeline.put(image)
    if (pipeline !== before) {
      // Ports may have come while its program was imported.
      pipeline.portsChanged(this.#directory)
      this.#pipelines.set(image.name, pipeline)
      before?.close()
    }
    this.#assign()
  }

  /** Puts these captures in place of those before. */
  capture(captures: readonly CaptureImage[]): void {
    this.#recorder.configure(captures, this.#directory)
    this.#assign()
  }

  #remove(name: string): void {
    const pipeline = this.#pipelines.get(name)
    this.#pipelines.delete(name)
    this.#changes.delete(name)
    this.#assign()
    pipeline?.close()
  }

  #pipeline(name: string): Pipeline {
    const pipeline = this.#pipelines.get(name)
    if (pipeline === undefined) throw new TypeError(`there is no bridge ${name}`)
    return pipeline
  }

  async #after<T>(name: string, change: () => T | Promise<T>): Promise<T> {
    const done = (this.#changes.get(name) ?? Promise.resolve()).then(change)
    this.#changes.set(
      name,
      done.catch(() => undefined),
    )
    return await done
  }

  #assign(): void {
    this.#byPort.fill(undefined)
    const recorder = this.#recorder
    for (const pipeline of this.#pipelines.values())
      for (const port of pipeline.ports)
        this.#byPort[port] = recorder.isNeeded(port) ? recorder.around(pipeline) : pipeline
    this.#idle = [...this.#pipelines.values()].filter((pipeline) => pipeline.hasIdle)
  }

  /** Lets the lcore count an error, unless it would lose its patience. */
  #pass(error: unknown): void {
    this.#thrown++
    if (this.#thrown <= MOST_IN_ROW) throw error
    this.#thrown = 0
  }
}

/** Makes the program of an lcore, with `data` as its {@link SwitchImage}. */
export default async function makeSwitchProgram(context: ProgramContext): Promise<SwitchProgram> {
  const program = new SwitchProgram(context)
  const { bridges, captures } = context.data as SwitchImage
  for (const image of bridges) await program.put(image)
  if (captures !== undefined) program.capture(captures)
  return program
}
