/** Subcommands that change a running switch. */

import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { AdminClient } from '../admin/client.js'
import { counted } from '../counted.js'
import { oneBridge, takeBridge } from './bridge-argument.js'
import { CommandError, UsageError } from './exit-codes.js'
import type { BridgeOptions, ClientOptions } from './queries.js'
import { readRules } from './rules-argument.js'
import { newTerminal } from './terminal.js'
import { portsText } from './text/ports.js'
import { reloadText } from './text/reload.js'

export interface FlowOptions extends BridgeOptions {
  readonly file?: string
  readonly strict?: boolean
  readonly all?: boolean
}

const withWarnings = (text: string, warnings: readonly string[]) =>
  [text, ...warnings.map((line) => `warning: ${line}`)].join('\n')

export async function portAdd(
  name: string,
  args: readonly string[],
  options: BridgeOptions,
): Promise<void> {
  const { readKeyValues } = await import('./key-values.js')
  const bridge = options.bridge === undefined ? {} : { bridge: options.bridge }
  const port = { name, ...bridge, ...readKeyValues(args) }
  const { answer, paint } = newTerminal(options)
  answer(await new AdminClient(options.socket).portAdd(port), (view) => portsText([view], paint))
}

export async function portDelete(
  names: readonly string[],
  options: ClientOptions & { ifExists?: boolean },
): Promise<void> {
  const client = new AdminClient(options.socket)
  const deleted: string[] = []
  for (const name of names) {
    try {
      await client.portDelete(name)
      deleted.push(name)
    } catch (error) {
      if (!options.ifExists || (error as { status?: number }).status !== 404) throw error
    }
  }
  newTerminal(options).answer({ deleted }, () =>
    deleted.map((name) => `${name} deleted`).join('\n'),
  )
}

export async function portSet(
  name: string,
  args: readonly string[],
  options: ClientOptions,
): Promise<void> {
  const { readKeyValues } = await import('./key-values.js')
  const { answer, paint } = newTerminal(options)
  const result = await new AdminClient(options.socket).portSet(name, readKeyValues(args))
  answer(result, ({ port, remade }) => {
    const note = remade ? `${name} was made anew: its guest had to connect again\n` : ''
    return note + portsText([port], paint)
  })
}

export async function flowAdd(args: readonly string[], options: FlowOptions): Promise<void> {
  const client = new AdminClient(options.socket)
  const { bridge, rest } = await takeBridge(client, args, options.bridge)
  const rules = await readRules(rest, options.file)
  if (rules.length === 0) throw new UsageError('which rules? give them, or --file FILE')
  const { warnings } = await client.flowAdd(bridge, rules)
  newTerminal(options).answer({ added: rules.length, warnings }, ({ added }) =>
    withWarnings(`${counted(added, 'rule')} added`, warnings),
  )
}

export async function flowModify(args: readonly string[], options: FlowOptions): Promise<void> {
  const client = new AdminClient(options.socket)
  const { bridge, rest } = await takeBridge(client, args, options.bridge)
  const rules = await readRules(rest, options.file)
  if (rules.length === 0) throw new UsageError('which rules? give them, or --file FILE')
  let modified = 0
  for (const rule of rules) {
    modified += await client.flowModify(bridge, rule, options.strict ?? false)
  }
  newTerminal(options).answer({ modified }, () => `${counted(modified, 'rule')} modified`)
}

export async function flowDelete(args: readonly string[], options: FlowOptions): Promise<void> {
  const client = new AdminClient(options.socket)
  const { bridge, rest } = await takeBridge(client, args, options.bridge)
  const selections = await readRules(rest, options.file)
  if (selections.length === 0 && !options.all) {
    throw new UsageError('which rules? give a selection, or --all')
  }
  let deleted = 0
  for (const selection of options.all ? [''] : selections) {
    deleted += await client.flowDelete(bridge, selection, options.strict ?? false)
  }
  newTerminal(options).answer({ deleted }, () => `${counted(deleted, 'rule')} deleted`)
}

export async function flowReplace(args: readonly string[], options: FlowOptions): Promise<void> {
  const client = new AdminClient(options.socket)
  const { bridge, rest } = await takeBridge(client, args, options.bridge)
  if (rest.length === 0 && options.file === undefined) {
    throw new UsageError('which rules? give them, or --file FILE')
  }
  const result = await client.flowReplace(bridge, await readRules(rest, options.file))
  newTerminal(options).answer(result, ({ added, deleted, warnings }) =>
    withWarnings(`${counted(added, 'rule')} added, ${deleted} deleted`, warnings),
  )
}

export async function programLoad(
  file: string,
  options: BridgeOptions & { data?: string },
): Promise<void> {
  const data = options.data === undefined ? undefined : readData(options.data)
  const client = new AdminClient(options.socket)
  const bridge = await oneBridge(client, options.bridge)
  const program = await client.programLoad(bridge, resolve(file), data)
  newTerminal(options).answer(program, (view) => `bridge ${bridge}: ${view.file} decides now`)
}

function readData(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`--data is no JSON: ${(error as Error).message}`)
  }
}

export async function programUnload(options: BridgeOptions): Promise<void> {
  const client = new AdminClient(options.socket)
  const bridge = await oneBridge(client, options.bridge)
  await client.programUnload(bridge)
  newTerminal(options).answer({ bridge }, () => `bridge ${bridge}: its program was unloaded`)
}

export async function reload(options: ClientOptions): Promise<void> {
  newTerminal(options).answer(await new AdminClient(options.socket).reload(), reloadText)
}

/** How long the end of a switch is waited for, in milliseconds. */
const STOP_MS = 10_000

/** Returns once nothing listens any more, which is the last thing a switch does. */
export async function stop(options: ClientOptions): Promise<void> {
  const client = new AdminClient(options.socket, 1000)
  const { pid } = await client.show()
  await client.stop()
  const limit = performance.now() + STOP_MS
  while (performance.now() < limit) {
    await delay(20)
    if (!(await client.isListening())) {
      newTerminal(options).answer({ stopped: pid }, () => 'stopped')
      return
    }
  }
  throw new CommandError(`the switch (pid ${pid}) has not ended after ${STOP_MS / 1000} s`)
}
