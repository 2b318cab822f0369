import { fileURLToPath } from 'node:url'
import type { RunningSwitch, Work } from '../contender.js'
import { BenchProcess } from '../process.js'
import { type Setup, START_MS } from '../setup.js'
import type { Pair, Reply, Request, Start, Totals } from './messages.js'

const ANSWER_MS = 10_000

/** A switch made with this package, in a process of its own. */
export class OwnSwitch implements RunningSwitch {
  readonly #process: BenchProcess
  readonly #started: Promise<unknown>
  #before: Totals | undefined

  constructor({ burst, sockets, folder, cpus, memory }: Setup, contender: Start['contender']) {
    const start: Start = {
      contender,
      sockets,
      cpu: cpus.switch,
      burst,
      memory: memory.kind,
      memoryMiB: memory.mib,
    }
    const script = fileURLToPath(new URL('./main.js', import.meta.url))
    this.#process = new BenchProcess(contender, process.execPath, [script, JSON.stringify(start)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, RUNTIME_DIRECTORY: folder },
    })
    this.#started = this.#reply('started', START_MS)
    this.#started.catch(() => {})
  }

  get pid(): number {
    return this.#process.pid
  }

  get failed(): Promise<never> {
    return this.#process.failed
  }

  async started(): Promise<void> {
    await this.#started
  }

  async begin(milliseconds: number): Promise<void> {
    await this.#ask({ kind: 'begin', milliseconds }, 'begun')
  }

  /** Changes between the C++ loop and the TypeScript program for that long. */
  async alternate(milliseconds: number): Promise<Pair[]> {
    const request = { kind: 'alternate', milliseconds } as const
    return (await this.#ask(request, 'alternated', milliseconds)).pairs
  }

  async countCycles(): Promise<void> {
    this.#before = await this.#totals()
  }

  async work(): Promise<Work> {
    const now = await this.#totals()
    const since = (key: keyof Totals) => now[key] - (this.#before?.[key] ?? 0)
    const bursts = since('bursts')
    return {
      frames: since('frames'),
      busyCycles: since('busyCycles'),
      cyclesPerSecond: now.cyclesPerSecond,
      dropped: since('dropped'),
      burst: bursts === 0 ? undefined : since('frames') / bursts,
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]()
  }

  async #totals(): Promise<Totals> {
    return (await this.#ask({ kind: 'totals' }, 'totals')).totals
  }

  #ask<K extends Reply['kind']>(request: Request, kind: K, takesMs = 0) {
    const reply = this.#reply(kind, ANSWER_MS + takesMs)
    this.#process.child.send(request)
    return reply
  }

  async #reply<K extends Reply['kind']>(
    kind: K,
    timeoutMs: number,
  ): Promise<Extract<Reply, { kind: K }>> {
    let timer: NodeJS.Timeout | undefined
    const answer = new Promise<Extract<Reply, { kind: K }>>((resolve, reject) => {
      const listener = (reply: Reply) => {
        if (reply.kind !== kind) return
        this.#process.child.off('message', listener)
        resolve(reply as Extract<Reply, { kind: K }>)
      }
      this.#process.child.on('message', listener)
      timer = setTimeout(
        () => reject(new Error(`the switch did not answer '${kind}' within ${timeoutMs} ms`)),
        timeoutMs,
      )
    })
    return Promise.race([answer, this.#process.failed]).finally(() => clearTimeout(timer))
  }
}
