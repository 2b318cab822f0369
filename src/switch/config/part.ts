/**
 * One part of a configuration held against its schema.
 *
 * @packageDocumentation
 */
import { check, type Problem, show } from 'dpdk-vhost'
import type { z } from 'zod'
import { isObject } from './raw.js'
import { respell, type Section } from './spellings.js'

/** What became of a part: what it is to be, if nothing is wrong with it. */
export interface Part<T> {
  readonly spec: T | undefined
  readonly problems: readonly Problem[]
}

/** A part that is an object. @param like - how it could look, for whom it is none */
export function checkPart<S extends z.ZodObject>(
  schema: S,
  value: unknown,
  section: Section,
  like: string,
): Part<z.output<S>> {
  if (!isObject(value)) return { spec: undefined, problems: [notAnObject(value, like)] }
  const { spec, problems } = check(schema, value)
  const keys = Object.keys(schema.shape)
  return { spec, problems: problems.map((problem) => reword(respell(problem, section, keys))) }
}

/** The problem of what should be an object. */
export function notAnObject(value: unknown, like: string): Problem {
  const kind = Array.isArray(value) ? 'is a list' : 'is not an object'
  return { path: '', value, message: value === null ? NO_VALUE : kind, fix: `give ${like}` }
}

export const NO_VALUE = 'has no value'

/** The API's words, where a file can say more: what YAML makes of a text is not always what was meant. */
export function reword(problem: Problem): Problem {
  const { value, message, fix } = problem
  if (value === null && message === 'is not a value')
    return { ...problem, message: NO_VALUE, fix: `${fix}, or remove the key` }
  if (typeof value === 'string' && /^give .*\btrue\b/.test(fix) && /^(yes|no|on|off)$/i.test(value))
    return { ...problem, fix: `write ${/^(yes|on)$/i.test(value)}` }
  const item = /\]$/.test(problem.path)
    ? /^give an array[^,]*, each item (.*)/s.exec(fix)?.[1]
    : undefined
  if (item !== undefined) return { ...problem, fix: `give ${item}` }
  if (/^is a (number|boolean)$/.test(message) && /^give (a|the) (name|string|path)/.test(fix))
    return { ...problem, fix: `write '${String(value)}', in quotes` }
  return problem
}

/** Puts a path before those of problems. */
export function under<P extends Problem>(path: string, problems: readonly P[]): P[] {
  return problems.map((problem) => ({ ...problem, path: joined(path, problem.path) }))
}

export function joined(path: string, inner: string): string {
  if (path === '' || inner === '' || inner.startsWith('[')) return path + inner
  return `${path}.${inner}`
}

/** The problem of a list that is none. */
export function notAList(path: string, value: unknown, like: string): Problem {
  const message = value === null ? NO_VALUE : isObject(value) ? 'is an object' : 'is not a list'
  const fix = value === null ? `give ${like}, or remove the key` : `give ${like}`
  return { path, value, message, fix }
}

/** A name in quotes. */
export const quoted = show
