import type { Screen } from './screen.js'
import { SwitchProcess } from './switch-process.js'
import { Workspace } from './workspace.js'

/** What a demo plays on: the screen, the sockets, the switch, and whatever else has to be cleared away at the end. */
export class Stage {
  readonly screen: Screen
  readonly signal: AbortSignal
  readonly sockets: readonly [string, string]
  readonly #workspace = new Workspace()
  readonly #closers: (() => Promise<void>)[] = []
  #switch: SwitchProcess | undefined

  constructor(screen: Screen, signal: AbortSignal) {
    this.screen = screen
    this.signal = signal
    this.sockets = [this.#workspace.path('vhost0'), this.#workspace.path('vhost1')]
  }

  /** The path of a file that goes away with the demo. */
  file(name: string): string {
    return this.#workspace.path(name)
  }

  /** Has `close` called at the end, last things first. */
  atEnd(close: () => Promise<void>): void {
    this.#closers.unshift(close)
  }

  /** Starts the switch, showing what its ports go through, and resolves when they are ready. */
  async startSwitch(): Promise<SwitchProcess> {
    const { screen } = this
    const shown = new Map<string, string>()
    const started = new SwitchProcess(this.sockets, ({ port, state, time, ring }) => {
      // A state is reported again when a detail of it changes.
      if (shown.get(port) === state) return
      shown.set(port, state)
      const after = screen.dim(`${String(Math.round(time - started.startedAt)).padStart(5)} ms`)
      const detail = state === 'ready' ? ` ${screen.dim(`${ring} rings`)}` : ''
      const text = state === 'ready' ? screen.good(state) : state
      screen.line(`  ${after}  ${port}  ${text}${detail}`)
    })
    this.#switch = started
    await started.ready(this.signal)
    return started
  }

  /** Kills the switch. */
  async stopSwitch(): Promise<void> {
    await this.#switch?.kill()
  }

  /** Ends everything, whatever state it is in. */
  async clear(): Promise<void> {
    await Promise.allSettled([this.stopSwitch(), ...this.#closers.map((close) => close())])
    this.#workspace.remove()
  }
}
