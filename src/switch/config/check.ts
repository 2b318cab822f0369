/**
 * From the text of a configuration to what the switch is to be, or to everything that is wrong with it.
 *
 * @packageDocumentation
 */

import { dirname, resolve } from 'node:path'
import { type Problem, socketPathTrouble } from 'dpdk-vhost'
import * as z from 'zod'
import { defaultAdminSocket } from '../admin/default-socket.js'
import type { AdminSpec, BridgeSpec, LcoreSpec, SwitchPortSpec, SwitchSpec } from '../spec.js'
import { checkBridge } from './bridges.js'
import { crossChecks } from './cross-checks.js'
import { type Outline, outlineOf } from './outline.js'
import { checkPart, notAList, type Part, under } from './part.js'
import { checkOnePort } from './ports.js'
import type { ConfigProblem } from './problem.js'
import { member, text } from './raw.js'
import {
  adminSchema,
  datapathSchema,
  lcoreSchema,
  loggingSchema,
  metricsSchema,
  TOP_KEYS,
} from './schema.js'
import { Source } from './source.js'
import type { Section } from './spellings.js'

/** About the text. */
export interface CheckOptions {
  /** Path of the file, as it is to be named in problems. Paths in it start from its folder. Default `vswitch.yaml`. */
  readonly file?: string | undefined
}

/** What became of a configuration. */
export interface CheckedConfig {
  /** Undefined if there are problems. */
  readonly spec: SwitchSpec | undefined
  /** What is wrong, in the order of the lines. */
  readonly problems: readonly ConfigProblem[]
  /** What can be but is probably not meant. */
  readonly warnings: readonly ConfigProblem[]
  /** Absolute paths of the files of which a change may change the spec: itself, and those with flows. */
  readonly files: readonly string[]
}

/** Checks the text of a configuration, YAML or JSON. Reads the files of flows that it names. */
export function checkConfig(
  content: string,
  { file = 'vswitch.yaml' }: CheckOptions = {},
): CheckedConfig {
  const source = new Source(content, file)
  const files = [resolve(file)]
  if (source.value === undefined)
    return { spec: undefined, problems: source.problems, warnings: [], files }
  const root = source.value
  const outline = outlineOf(root)
  files.push(...flowsFiles(outline, dirname(files[0] as string)))
  const found = new Findings(source)
  found.add(topProblems(root))
  const parts = {
    datapath: section(root, 'datapath', datapathSchema, '{ mtu: 1500 }', found),
    admin: section(root, 'admin', adminSchema, '{ socket: /run/vswitch/admin.sock }', found),
    logging: section(root, 'logging', loggingSchema, '{ level: info }', found),
    metrics: section(root, 'metrics', metricsSchema, '{ listen: 127.0.0.1:9475 }', found),
    lcores: lcoresOf(outline, found),
    bridges: bridgesOf(outline, source, found),
    ports: portsOf(outline, found),
  }
  const socket = text(member(member(root, 'admin'), 'socket')) ?? defaultAdminSocket()
  found.add(adminProblems(root))
  const cross = crossChecks(outline, socket)
  found.add(cross.problems)
  found.warn(cross.warnings)

  const problems = found.sorted(found.problems, source.problems)
  const warnings = found.sorted(found.warnings, [])
  if (problems.length > 0) return { spec: undefined, problems, warnings, files }
  return { spec: specOf(root, parts as Parts, socket), problems, warnings, files }
}

/** All parts, once nothing is wrong with any. */
interface Parts {
  readonly datapath: SwitchSpec['datapath']
  readonly admin: Pick<AdminSpec, 'mode'>
  readonly logging: SwitchSpec['logging']
  readonly metrics: NonNullable<SwitchSpec['metrics']>
  readonly lcores: readonly LcoreSpec[]
  readonly bridges: readonly BridgeSpec[]
  readonly ports: readonly SwitchPortSpec[]
}

function specOf(root: unknown, parts: Parts, socket: string): SwitchSpec {
  const { datapath, admin, logging, metrics, lcores, bridges, ports } = parts
  return {
    datapath,
    lcores,
    bridges,
    ports,
    admin: { socket, mode: admin.mode },
    logging,
    metrics: member(root, 'metrics') === undefined ? undefined : metrics,
  }
}

function topProblems(root: unknown): Problem[] {
  const schema = z.strictObject(
    Object.fromEntries(TOP_KEYS.map((key) => [key, z.unknown().optional()])),
  )
  const { problems } = checkPart(schema, root, 'top', 'keys such as ports:, bridges: and lcores:')
  const lists = [
    ['lcores', 'a list such as [{ name: lcore0 }]'],
    ['bridges', 'a list such as [{ name: br0 }]'],
    [
      'ports',
      'a list such as [{ name: vhost0, type: dpdkvhostuserclient, path: /run/vm/vhost0.sock }]',
    ],
  ] as const
  return [
    ...problems,
    ...lists.flatMap(([key, like]) => {
      const value = member(root, key)
      if (value === undefined) return []
      if (!Array.isArray(value)) return [notAList(key, value, like)]
      if (value.length > 0 || key === 'ports') return []
      const fix = `give ${like}, or remove the key`
      return [{ path: key, value, message: 'is empty', fix }]
    }),
  ]
}

function section<S extends z.ZodObject>(
  root: unknown,
  key: Section & string,
  schema: S,
  like: string,
  found: Findings,
): z.output<S> | undefined {
  const given = member(root, key)
  const part: Part<z.output<S>> = checkPart(schema, given === undefined ? {} : given, key, like)
  found.add(under(key, part.problems))
  return part.spec
}

function lcoresOf({ lcores }: Outline, found: Findings): (LcoreSpec | undefined)[] {
  return lcores.map(({ path, name, given }) => {
    const part = checkPart(lcoreSchema, given, 'lcore', '{ name: lcore0 }')
    found.add(under(path, part.problems))
    return part.spec && { ...part.spec, name: name as string }
  })
}

function bridgesOf(outline: Outline, source: Source, found: Findings): (BridgeSpec | undefined)[] {
  const folder = dirname(resolve(source.file))
  return outline.bridges.map((bridge) => {
    const { spec, problems, placed, warnings } = checkBridge(bridge, outline, source, folder)
    found.add(problems)
    found.problems.push(...placed)
    found.warnings.push(...warnings)
    return spec
  })
}

function portsOf(outline: Outline, found: Findings): (SwitchPortSpec | undefined)[] {
  const defaultBridge = outline.bridges[0]?.name ?? ''
  return outline.ports.map(({ path, given }) => {
    const { spec, problems, warnings } = checkOnePort(given, outline.mtu, defaultBridge)
    found.add(under(path, problems))
    found.warn(under(path, warnings))
    return spec
  })
}

function flowsFiles({ bridges }: Outline, folder: string): string[] {
  const named = bridges.map(({ given }) => text(member(given, 'flowsFile')))
  return named
    .filter((file) => file !== undefined && file !== '')
    .map((file) => resolve(folder, file as string))
}

function adminProblems(root: unknown): Problem[] {
  const socket = text(member(member(root, 'admin'), 'socket'))
  const trouble = socket === undefined ? undefined : socketPathTrouble(socket, 'server')
  return trouble === undefined ? [] : [{ path: 'admin.socket', value: socket, ...trouble }]
}

/** What was found, with its places. */
class Findings {
  readonly problems: ConfigProblem[] = []
  readonly warnings: ConfigProblem[] = []
  readonly #source: Source

  constructor(source: Source) {
    this.#source = source
  }

  add(problems: readonly Problem[]): void {
    this.problems.push(...problems.map((problem) => this.#placed(problem)))
  }

  warn(warnings: readonly Problem[]): void {
    this.warnings.push(...warnings.map((warning) => this.#placed(warning)))
  }

  /** By their places, the configuration's own first; of what is said of one part, what was said of it as text goes first. */
  sorted(all: readonly ConfigProblem[], ofText: readonly ConfigProblem[]): ConfigProblem[] {
    const said = new Set(ofText.map(({ path }) => path))
    const rest = all.filter(({ path, file }) => file !== this.#source.file || !said.has(path))
    return [...ofText, ...rest].sort(
      (a, b) =>
        Number(a.file !== this.#source.file) - Number(b.file !== this.#source.file) ||
        a.file.localeCompare(b.file) ||
        a.line - b.line ||
        a.column - b.column,
    )
  }

  #placed(problem: Problem): ConfigProblem {
    return { ...problem, ...this.#source.locate(problem.path) }
  }
}
