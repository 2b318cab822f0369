import type { Key } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { AdminClient } from '../../admin/client.js'
import { NoSwitchError } from '../../admin/client-error.js'
import { toJson } from '../../admin/json.js'
import { UsageError } from '../exit-codes.js'
import type { ClientOptions } from '../queries.js'
import { newTerminal } from '../terminal.js'
import { Console } from './console.js'
import { History } from './history.js'
import { type Look, look } from './look.js'
import { ratesOf, type TopView } from './rates.js'
import { type Screen, SECTIONS, type Section, SORTS, screenLines } from './screen.js'

export interface TopOptions extends ClientOptions {
  /** Seconds between two looks. */
  readonly interval: number
  /** Views after which it ends; undefined: never. */
  readonly count?: number
}

/** An answer that takes longer is none: the switch may be starting. */
const ANSWER_MS = 5000

/** What a switch does, until `count` is reached or somebody wants no more. */
export async function top(options: TopOptions): Promise<void> {
  const client = new AdminClient(options.socket, ANSWER_MS)
  if (!options.json && !process.stdout.isTTY)
    throw new UsageError('top draws on a terminal, and this is none; give --json')
  // Whoever names the wrong socket is to hear it at once.
  const first = await look(client, true)
  if (options.json) await printViews(client, first, options)
  else await new Top(client, options).run(first)
}

async function printViews(client: AdminClient, first: Look, options: TopOptions): Promise<void> {
  const views = followed(client, first, options, { withFlows: () => true })
  for await (const { view } of views) {
    if (view === undefined) continue
    const time = new Date().toISOString()
    process.stdout.write(`${toJson({ time, ...view })}\n`)
  }
}

interface Followed {
  /** Undefined while there is nothing to compare. */
  readonly view: TopView | undefined
  readonly trouble: string | undefined
}

/** The views of a switch, also when it ends meanwhile and another takes its place. */
async function* followed(
  client: AdminClient,
  first: Look,
  { interval, count = Number.POSITIVE_INFINITY }: TopOptions,
  { withFlows, signal }: { withFlows(): boolean; signal?: AbortSignal },
): AsyncGenerator<Followed, void, void> {
  let before: Look | undefined = first
  for (let views = 0; views < count; ) {
    await delay(1000 * interval, undefined, signal && { signal })
    try {
      const now = await look(client, withFlows())
      const view = before && ratesOf(before, now)
      before = now
      if (view !== undefined) views++
      yield { view, trouble: undefined }
    } catch (error) {
      if (!(error instanceof NoSwitchError)) throw error
      before = undefined
      yield { view: undefined, trouble: `waiting for the switch: ${error.message}` }
    }
  }
}

/** `vswitch top` on a terminal. */
class Top {
  readonly #client: AdminClient
  readonly #options: TopOptions
  readonly #history = new History()
  readonly #end = new AbortController()
  readonly #paint = newTerminal({}).paint
  readonly #unicode = /utf-?8/i.test(
    process.env.LC_ALL || process.env.LC_CTYPE || process.env.LANG || '',
  )
  #console: Console | undefined
  #view: TopView | undefined
  #trouble: string | undefined
  #section: Section = 'all'
  #sort: Screen['sort'] = 'rate'
  #scroll = 0

  constructor(client: AdminClient, options: TopOptions) {
    this.#client = client
    this.#options = options
  }

  async run(first: Look): Promise<void> {
    using console = new Console(
      (key) => this.#press(key),
      () => this.#draw(),
    )
    this.#console = console
    this.#draw()
    const { signal } = this.#end
    const withFlows = () => this.#section === 'all' || this.#section === 'flows'
    try {
      const views = followed(this.#client, first, this.#options, { withFlows, signal })
      for await (const { view, trouble } of views) this.#show(view, trouble)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  #show(view: TopView | undefined, trouble: string | undefined): void {
    if (view !== undefined) {
      this.#view = view
      this.#history.add(view)
    }
    this.#trouble = trouble
    this.#draw()
  }

  #press({ name = '' }: Key): void {
    if (name === 'q') this.#end.abort()
    const section = SECTIONS.find((one) => one.startsWith(name))
    if (name.length === 1 && section !== undefined) {
      this.#section = section
      this.#scroll = 0
    }
    if (name === 's') this.#sort = SORTS[(SORTS.indexOf(this.#sort) + 1) % SORTS.length] ?? 'rate'
    const page = Math.max(1, (this.#console?.size.rows ?? 24) - 6)
    const steps: Readonly<Record<string, number>> = {
      up: -1,
      down: 1,
      pageup: -page,
      pagedown: page,
      home: Number.NEGATIVE_INFINITY,
    }
    const lines = this.#view?.[this.#section === 'all' ? 'ports' : this.#section].length ?? 0
    this.#scroll = Math.max(0, Math.min(lines - 1, this.#scroll + (steps[name] ?? 0)))
    this.#draw()
  }

  #draw(): void {
    const console = this.#console
    if (console === undefined) return
    const lines = screenLines(this.#view, this.#history, {
      ...console.size,
      section: this.#section,
      sort: this.#sort,
      scroll: this.#scroll,
      trouble: this.#trouble,
      paint: this.#paint,
      unicode: this.#unicode,
    })
    console.draw(lines)
  }
}
