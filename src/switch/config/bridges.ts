/**
 * A bridge: its settings, its rules, its program.
 *
 * @packageDocumentation
 */
import { statSync } from 'node:fs'
import { extname, isAbsolute, relative, resolve } from 'node:path'
import type { Problem } from 'dpdk-vhost'
import type { z } from 'zod'
import type { BridgeSpec, LocalPort, ProgramSpec } from '../spec.js'
import { checkFlows, type GivenRule, rulesOfFile } from './flows.js'
import { type BridgeOutline, type Outline, portsOfBridge } from './outline.js'
import { checkPart, joined, under } from './part.js'
import type { ConfigProblem } from './problem.js'
import { isObject, items, member, text } from './raw.js'
import { bridgeSchema } from './schema.js'
import type { Source } from './source.js'

/** A bridge, and what is wrong with it, by its place in the file. */
export interface CheckedBridge {
  readonly spec: BridgeSpec | undefined
  readonly problems: readonly Problem[]
  readonly placed: readonly ConfigProblem[]
  readonly warnings: readonly ConfigProblem[]
}

/** @param folder - that paths in the file start from */
export function checkBridge(
  bridge: BridgeOutline,
  outline: Outline,
  source: Source,
  folder: string,
): CheckedBridge {
  const { given, path } = bridge
  const part = checkPart(bridgeSchema, given, 'bridge', '{ name: br0 }')
  const problems = under(path, part.problems)
  const program = programOf(given, folder)
  if (program?.trouble !== undefined)
    problems.push({ path: `${path}.program`, value: program.spec.file, ...program.trouble })

  const { rules, trouble } = rulesOf(bridge, source, folder)
  if (trouble !== undefined) problems.push(trouble)
  const meters = items(member(given, 'meters')).map((meter) => member(meter, 'id'))
  const flows = checkFlows(rules ?? [], {
    ports: portsOfBridge(outline, bridge),
    meters: new Set(meters.filter((id) => typeof id === 'number')),
  })
  const spec =
    part.spec && specOf(part.spec, rules === undefined ? undefined : flows.rules, program?.spec)
  return { spec, problems, placed: flows.problems, warnings: flows.warnings }
}

function specOf(
  given: z.output<typeof bridgeSchema>,
  flows: BridgeSpec['flows'],
  program: ProgramSpec | undefined,
): BridgeSpec {
  const { name, ageing, tableSize, forwardBpdu, staticMacs, loopGuard, meters, mirrors } = given
  const { broadcast, multicast, unknownUnicast } = given.stormLimit
  return {
    name,
    ageing,
    tableSize,
    forwardBpdu,
    staticMacs,
    stormLimit: { broadcast, multicast, unknownUnicast },
    loopGuard,
    local: localOf(given.local, name),
    flows,
    meters,
    program,
    mirrors: mirrors.map(({ outputPort, outputVlan, snaplen, ...selection }) => ({
      ...selection,
      outputPort,
      outputVlan,
      snaplen,
    })),
  }
}

function localOf(
  given: z.output<typeof bridgeSchema>['local'],
  bridge: string,
): LocalPort | undefined {
  if (given === false) return undefined
  if (given === true) return { iface: bridge, addresses: [], mac: undefined }
  return { iface: given.iface ?? bridge, addresses: given.addresses, mac: given.mac }
}

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs']

function programOf(
  bridge: unknown,
  folder: string,
): { spec: ProgramSpec; trouble: { message: string; fix: string } | undefined } | undefined {
  const given = member(bridge, 'program')
  const file = text(isObject(given) ? given.file : given)
  if (file === undefined || file === '') return undefined
  const spec = { file: resolve(folder, file), data: isObject(given) ? given.data : undefined }
  return { spec, trouble: programTrouble(spec.file) }
}

/** What keeps a file from being a program. */
export function programTrouble(file: string): { message: string; fix: string } | undefined {
  let stat: ReturnType<typeof statSync>
  try {
    stat = statSync(file, { throwIfNoEntry: false })
  } catch (error) {
    return { message: `cannot be read: ${(error as Error).message}`, fix: 'make sure that it can' }
  }
  if (stat === undefined)
    return {
      message: 'does not exist',
      fix: `give the path of a file, from the configuration's folder`,
    }
  if (stat.isDirectory()) return { message: 'is a folder', fix: 'give the path of a file' }
  if (EXTENSIONS.includes(extname(file))) return undefined
  return { message: 'is no program', fix: `give a file that ends in ${EXTENSIONS.join(', ')}` }
}

/** The rules of a bridge, undefined where it has none given. */
function rulesOf(
  { given, path }: BridgeOutline,
  source: Source,
  folder: string,
): { rules: GivenRule[] | undefined; trouble: Problem | undefined } {
  const flows = member(given, 'flows')
  if (Array.isArray(flows)) {
    const rules = flows.map((rule, i) => {
      const at = `${path}.flows[${i}]`
      return { rule, path: at, placeOf: (inner: string) => source.locate(joined(at, inner)) }
    })
    return { rules, trouble: undefined }
  }
  const file = text(member(given, 'flowsFile'))
  if (file === undefined || file === '') return { rules: undefined, trouble: undefined }
  const read = rulesOfFile(resolve(folder, file), shownPath(file, source.file, folder))
  return {
    rules: read.rules,
    trouble: read.trouble && { path: `${path}.flowsFile`, value: file, ...read.trouble },
  }
}

/** A path in a report: as it would be given where the configuration was. */
function shownPath(file: string, configuration: string, folder: string): string {
  if (isAbsolute(file)) return file
  if (isAbsolute(configuration)) return resolve(folder, file)
  return relative(process.cwd(), resolve(folder, file)) || file
}
