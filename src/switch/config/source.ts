/**
 * The text of a configuration: its value, where each part of it stands, and what is wrong with it as a text.
 *
 * @packageDocumentation
 */
import type { Problem } from 'dpdk-vhost'
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml'
import type { ConfigProblem, Place } from './problem.js'

/** Levels of lists and objects in each other; a configuration has six. */
const MAX_DEPTH = 64

/** References to anchors that may be followed, so that a few lines cannot become gigabytes. */
const MAX_ALIASES = 1000

/** YAML, or JSON, which is YAML as well. */
export class Source {
  readonly file: string
  /** What the text says; undefined if it cannot be read. */
  readonly value: unknown
  /** What is wrong with the text whatever it is to say. */
  readonly problems: readonly ConfigProblem[]
  readonly #text: string
  readonly #lines = new LineCounter()
  readonly #document: Document.Parsed | undefined
  /** What aliases stand for. The parser would look through the document for each. */
  readonly #targets = new Map<unknown, unknown>()

  /** @param file - to be named in problems; if its name ends in `.json`, the text has to be JSON */
  constructor(text: string, file: string) {
    this.file = file
    this.#text = text
    const problems: ConfigProblem[] = []
    const refuse = (offset: number, message: string, fix: string) => {
      problems.push({ ...this.#place(offset), path: '', value: undefined, message, fix })
    }
    this.problems = problems
    try {
      this.#document = parseDocument(text, {
        lineCounter: this.#lines,
        prettyErrors: false,
        stringKeys: true,
        merge: true,
      })
      if (!this.#complain(this.#document, refuse)) return
      this.#walk(this.#document.contents, problems)
      if (problems.some(({ message }) => isEndless(message))) return
      this.value = this.#document.toJS({ maxAliasCount: MAX_ALIASES })
    } catch (error) {
      refuse(0, ...unreadable(error as Error))
    }
  }

  /** Where the part of that path stands; of what is missing, the part that it is missing from. */
  locate(path: string): Place {
    let rest = path
    let node: unknown = this.#document?.contents
    let found = node
    while (rest !== '' && node !== undefined) {
      const step = this.#step(node, rest)
      if (step === undefined) break
      found = step.mark
      node = step.node
      rest = step.rest
    }
    const offset = (found as Node | null | undefined)?.range?.[0]
    return offset === undefined ? { file: this.file, line: 0, column: 0 } : this.#place(offset)
  }

  /** One key or index further along a path. A key may have dots in it, so the longest that fits is taken. */
  #step(at: unknown, rest: string): { mark: unknown; node: unknown; rest: string } | undefined {
    const node = this.#resolved(at)
    if (isSeq(node)) {
      const [text, index] = /^\.?\[(\d+)\]/.exec(rest) ?? []
      const item = text === undefined ? undefined : node.items[Number(index)]
      return item === undefined
        ? undefined
        : { mark: item, node: item, rest: rest.slice(text?.length) }
    }
    if (!isMap(node)) return undefined
    const path = rest.startsWith('.') ? rest.slice(1) : rest
    const fits = (pair: Pair) => {
      const key = keyOf(pair)
      return path.startsWith(key) && /^($|[.[])/.test(path.slice(key.length))
    }
    const pair = this.#pairs(node)
      .filter(fits)
      .sort((a, b) => keyOf(b).length - keyOf(a).length)[0]
    return pair && { mark: pair.key, node: pair.value, rest: path.slice(keyOf(pair).length) }
  }

  /** The pairs of a map, and after them those that `<<` brings in. */
  #pairs(map: YAMLMap): Pair[] {
    const merged = map.items
      .filter((pair) => keyOf(pair) === '<<')
      .flatMap(({ value }) => {
        const node = this.#resolved(value)
        return isSeq(node) ? node.items.map((item) => this.#resolved(item)) : [node]
      })
    return [...map.items, ...merged.flatMap((node) => (isMap(node) ? node.items : []))]
  }

  #resolved(node: unknown): unknown {
    return isAlias(node) ? this.#targets.get(node) : node
  }

  /** Passes on what the parser has to say. Returns whether there is a value. */
  #complain(document: Document.Parsed, refuse: (at: number, m: string, fix: string) => void) {
    const json = this.file.endsWith('.json') ? jsonTrouble(this.#text) : undefined
    if (json !== undefined) {
      refuse(json.offset, `is not JSON: ${json.message}`, 'correct it, or name the file .yaml')
      return false
    }
    if (document.directives?.yaml.version === '1.1' && document.directives.yaml.explicit)
      refuse(0, 'is YAML 1.1', 'remove the line %YAML 1.1: files are YAML 1.2')
    const lines = new Set<number>()
    for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
      // One slip makes the parser stumble over all that follows on its line.
      const { line } = this.#lines.linePos(pos[0])
      if (lines.has(line)) continue
      lines.add(line)
      const words = YAML_WORDS[code]
      if (words !== undefined) refuse(pos[0], ...words)
      else if (/call stack/.test(message)) refuse(pos[0], DEPTH, 'nest it less')
      else refuse(pos[0], `is not YAML: ${lowerFirst(message)}`, 'correct it')
    }
    if (document.errors.length + document.warnings.length > 0) return false
    if (document.contents !== null && !(isScalar(document.contents) && isEmpty(document.contents)))
      return true
    const fix = 'begin with a list of ports: ports: [{ name: vhost0, type: ..., path: ... }]'
    refuse(0, 'is empty', fix)
    return false
  }

  /** Looks for what the parser takes and people do not mean. */
  #walk(root: unknown, problems: ConfigProblem[]): void {
    const note = (node: Node, path: string, message: string, fix: string, value?: unknown) => {
      const problem: Problem = { path, value, message, fix }
      problems.push({ ...problem, ...this.#place(node.range?.[0] ?? 0) })
    }
    let aliases = 0
    const anchors = new Map<string, unknown>()
    const visit = (node: unknown, path: string, above: readonly unknown[]): void => {
      if (isNode(node) && !isAlias(node) && node.anchor) anchors.set(node.anchor, node)
      if (above.length > MAX_DEPTH) {
        note(node as Node, '', DEPTH, 'nest it less')
      } else if (isAlias(node)) {
        if (++aliases === MAX_ALIASES + 1) note(node, '', ALIASES, 'write out what they stand for')
        if (aliases > MAX_ALIASES) return
        const target = anchors.get(node.source)
        this.#targets.set(node, target)
        if (target === undefined) {
          const fix = `write &${node.source} before the value that is meant, above this line`
          note(node, path, `${NO_ANCHOR} ${node.source}`, fix)
        } else if (above.includes(target)) note(node, path, CYCLE, 'write it out')
      } else if (isMap(node)) {
        for (const pair of node.items) {
          const inner = path === '' ? keyOf(pair) : `${path}.${keyOf(pair)}`
          visit(pair.value, inner, [...above, node])
        }
      } else if (isSeq(node)) {
        for (const [i, item] of node.items.entries()) visit(item, `${path}[${i}]`, [...above, node])
      } else if (isScalar(node) && typeof node.value === 'number') {
        const trap = numberTrap(node.source ?? '', node.value, path)
        if (trap !== undefined) note(node, path, trap.message, trap.fix, node.value)
      }
    }
    visit(root, '', [])
  }

  #place(offset: number): Place {
    if (this.#text.length === 0) return { file: this.file, line: 0, column: 0 }
    const { line, col } = this.#lines.linePos(Math.min(offset, this.#text.length))
    return { file: this.file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
}

const CYCLE = 'contains itself'
const ALIASES = 'repeats anchors (*name) too often'
const NO_ANCHOR = 'refers to an anchor that there is none of:'
const DEPTH = `is nested more than ${MAX_DEPTH} levels deep`

/** Whether there can be no value where that is said. */
function isEndless(message: string): boolean {
  return [CYCLE, DEPTH, ALIASES].includes(message) || message.startsWith(NO_ANCHOR)
}

/** What the parser says in words for programmers. */
const YAML_WORDS: Readonly<Record<string, [message: string, fix: string]>> = {
  TAB_AS_INDENT: ['is indented by a tab', 'YAML wants spaces: replace the tab'],
  DUPLICATE_KEY: ['has a key that is there already', 'remove one of the two'],
  MULTIPLE_DOCS: ['begins a second document', 'remove the line ---: a file is one configuration'],
  NON_STRING_KEY: ['has a key that is no text', 'write a key as text before the colon'],
  BLOCK_AS_IMPLICIT_KEY: [
    'has a second colon on the line',
    'put the value in quotes, or what belongs to it on lines of its own',
  ],
  TAG_RESOLVE_FAILED: ['has a tag (!...)', 'leave it out: tags mean nothing here'],
}

function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : String(key)
}

function isEmpty(scalar: { readonly value: unknown }): boolean {
  return scalar.value === null || scalar.value === ''
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}

/** Paths of permission bits. */
const MODE = /^(admin|ports\[\d+\])\.mode$/

/** Numbers that look like another notation than the one they are read in. */
function numberTrap(
  source: string,
  value: number,
  path: string,
): { message: string; fix: string } | undefined {
  if (MODE.test(path) && !/^0o/.test(source)) {
    const octal = /^0?[0-7]{3}$/.test(source) ? source : value.toString(8)
    return {
      message: `is written ${source}, a decimal number, and permission bits are octal`,
      fix: `write '${octal.padStart(4, '0')}', in quotes`,
    }
  }
  if (!/^[-+]?0\d+$/.test(source)) return undefined
  return {
    message: `is written ${source}, which is not octal`,
    fix: `write ${value}, or 0o${source.replace(/^[-+]?0+/, '')} if octal is meant`,
  }
}

function jsonTrouble(text: string): { message: string; offset: number } | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    const { message } = error as Error
    if (text.trim() === '') return undefined
    const at = /at position (\d+)/.exec(message)
    const offset = at === null ? text.trimEnd().length : Number(at[1])
    const plain = message.replace(/ in JSON at position \d+.*/s, '').replace(/, (\.\.\.)?".*/s, '')
    return { message: lowerFirst(plain), offset }
  }
}

function unreadable(error: Error): [message: string, fix: string] {
  if (error instanceof RangeError) return [DEPTH, 'nest it less']
  if (/alias count/i.test(error.message)) return [ALIASES, 'write out what they stand for']
  return [`cannot be read: ${lowerFirst(error.message)}`, 'correct it']
}
