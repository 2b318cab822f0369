import * as z from 'zod'
import { nearestFix, wrongType } from './complaint.js'
import { ConfigError, type Problem, show } from './config-error.js'

/** The outcome of {@link check}: the options with defaults filled in, or what is wrong with them. */
export type Checked<T> =
  | { readonly spec: T; readonly problems: [] }
  | { readonly spec?: never; readonly problems: Problem[] }

/**
 * The options `value` with defaults filled in.
 *
 * @param what - what they are for, as the message is to begin
 * @throws {@link ConfigError} naming every problem
 */
export function validate<S extends z.ZodType>(
  schema: S,
  value: unknown,
  what: string,
): z.output<S> {
  const checked = check(schema, value)
  if (checked.problems.length > 0) throw new ConfigError(what, checked.problems)
  return checked.spec as z.output<S>
}

/**
 * The same without the exception.
 *
 * @param often - whether so many values are checked that it is worth a fifth of a millisecond to compile the schema
 */
export function check<S extends z.ZodType>(
  schema: S,
  value: unknown,
  often = false,
): Checked<z.output<S>> {
  const result = schema.safeParse(value, { jitless: !often })
  if (result.success) return { spec: result.data, problems: [] }
  const problems = result.error.issues.flatMap((issue) => translate(issue, schema, value))
  // One word for one place, the first: a number that is out of range may break a rule for those in range as well.
  const first = new Map<string, Problem>()
  for (const problem of problems) if (!first.has(problem.path)) first.set(problem.path, problem)
  return { problems: [...first.values()] }
}

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

function translate(issue: Issue, schema: z.ZodType, root: unknown): Problem[] {
  const value = valueAt(root, issue.path)
  const field = schemaAt(schema, issue.path, root)
  const problem = (message: string, fix: string): Problem[] => [
    { path: pathText(issue.path), value, message, fix },
  ]
  const fix = `give ${expectation(field)}`

  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysOf(field, value)
      return issue.keys.map((key) => ({
        path: pathText([...issue.path, key]),
        value: valueAt(value, [key]),
        message: 'is not an option',
        fix: nearestFix(key, known) ?? `the options are ${known.join(', ')}`,
      }))
    }
    case 'invalid_type':
      if (value === undefined) return problem('is missing', fix)
      return problem(wrongType(value), unquoted(value, field) ?? fix)
    case 'invalid_value':
      if (value === undefined) return problem('is missing', fix)
      return problem('is not a choice', nearestFix(value, issue.values.map(String)) ?? fix)
    case 'too_small':
      if (issue.origin === 'array' || issue.origin === 'string') return problem('is empty', fix)
      return problem(`is less than ${issue.minimum}`, fix)
    case 'too_big':
      if (issue.origin === 'array' || issue.origin === 'string') return problem('is too long', fix)
      return problem(`is more than ${issue.maximum}`, fix)
    case 'invalid_union':
      if (issue.discriminator !== undefined) {
        const names = discriminators(field, issue.discriminator)
        const given = valueAt(value, [issue.discriminator])
        const path = pathText([...issue.path.slice(0, -1), issue.discriminator])
        const list = `the choices are ${names.join(', ')}`
        if (given === undefined) return [{ path, value: given, message: 'is missing', fix: list }]
        return [
          { path, value: given, message: 'is not a choice', fix: nearestFix(given, names) ?? list },
        ]
      }
      return nearestBranch(issue.errors, value).flatMap((inner) =>
        translate({ ...inner, path: [...issue.path, ...inner.path] } as Issue, schema, root),
      )
    case 'custom':
      return problem(issue.message, typeof issue.params?.fix === 'string' ? issue.params.fix : fix)
    default:
      return problem(`is refused: ${issue.message}`, fix)
  }
}

/** Of a union's alternatives, the complaints of the one that came closest. */
function nearestBranch(branches: readonly Issue[][], value: unknown): Issue[] {
  const atRoot = (issues: Issue[]) =>
    issues.some((issue) => issue.path.length === 0 && issue.code === 'invalid_type')
  const fitting = branches.filter((issues) => !atRoot(issues))
  const ofSameKind = Array.isArray(value)
    ? fitting.filter((issues) => issues.some((issue) => issue.path.length > 0))
    : []
  return ofSameKind[0] ?? fitting[0] ?? branches.at(-1) ?? []
}

function unquoted(value: unknown, field: z.ZodType): string | undefined {
  if (typeof value !== 'string' || value.trim() === '' || !field.safeParse(Number(value)).success)
    return undefined
  return `write ${Number(value)} without the quotes`
}

/** What a field accepts, in words, after "give". */
function expectation(field: z.ZodType): string {
  let schema: z.core.JSONSchema.BaseSchema
  try {
    schema = z.toJSONSchema(field, { io: 'input', unrepresentable: 'any' })
  } catch {
    return 'another value'
  }
  return words(schema)
}

function words(schema: z.core.JSONSchema.BaseSchema): string {
  if (schema.description !== undefined) return schema.description
  const choices = (schema.anyOf ?? schema.oneOf) as z.core.JSONSchema.BaseSchema[] | undefined
  if (choices !== undefined) return [...new Set(choices.map(words))].join(' or ')
  if (schema.const !== undefined) return show(schema.const)
  if (schema.enum !== undefined) return `one of ${schema.enum.map(show).join(', ')}`
  switch (schema.type) {
    case 'integer':
    case 'number': {
      const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = schema
      const kind = schema.type === 'integer' ? 'a whole number' : 'a number'
      if (maximum >= Number.MAX_SAFE_INTEGER)
        return minimum <= Number.MIN_SAFE_INTEGER ? kind : `${kind} from ${minimum}`
      return `${kind} from ${minimum} to ${maximum}`
    }
    case 'array': {
      const least = schema.minItems ? ` of at least ${schema.minItems}` : ''
      return `an array${least}, each item ${words((schema.items ?? {}) as z.core.JSONSchema.BaseSchema)}`
    }
    case 'string':
      return 'a string'
    case 'boolean':
      return 'true or false'
    case 'object':
      return 'an object'
    default:
      return 'another value'
  }
}

/** The schema behind defaults and optionals. */
function inner(schema: z.ZodType): z.ZodType {
  let at = schema
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodPrefault)
    at = at.unwrap() as z.ZodType
  return at
}

function schemaAt(schema: z.ZodType, path: Path, root: unknown): z.ZodType {
  const here = inner(schema)
  const [key, ...rest] = path
  if (key === undefined) return here
  const value = valueAt(root, [key])
  if (here instanceof z.ZodObject) {
    const field = here.shape[String(key)] as z.ZodType | undefined
    return field === undefined ? here : schemaAt(field, rest, value)
  }
  if (here instanceof z.ZodRecord) return schemaAt(here.valueType as z.ZodType, rest, value)
  if (here instanceof z.ZodArray) return schemaAt(here.element as z.ZodType, rest, value)
  if (here instanceof z.ZodUnion) return unionStep(here, path, root)
  return here
}

function unionStep(union: z.ZodUnion, path: Path, root: unknown): z.ZodType {
  const member = memberOf(union, root)
  return member === undefined ? union : schemaAt(member, path, root)
}

/** The alternative of a union that `value` is meant for. */
function memberOf(union: z.ZodUnion, value: unknown): z.ZodType | undefined {
  const options = union.options as z.ZodType[]
  if (union instanceof z.ZodDiscriminatedUnion) {
    const key = union.def.discriminator
    const given = valueAt(value, [key])
    return options.find(
      (option) => option instanceof z.ZodObject && isLiteral(option.shape[key], given),
    )
  }
  return options.find((option) =>
    Array.isArray(value) ? option instanceof z.ZodArray : !(option instanceof z.ZodArray),
  )
}

function isLiteral(schema: unknown, value: unknown): boolean {
  return schema instanceof z.ZodLiteral && schema.values.has(value as never)
}

function discriminators(schema: z.ZodType, key: string): string[] {
  const union = inner(schema)
  if (!(union instanceof z.ZodUnion)) return []
  return (union.options as z.ZodType[]).flatMap((option) => {
    const field = option instanceof z.ZodObject ? option.shape[key] : undefined
    return field instanceof z.ZodLiteral ? [...field.values].map(String) : []
  })
}

function keysOf(schema: z.ZodType, value: unknown): string[] {
  const object = schema instanceof z.ZodUnion ? memberOf(schema, value) : schema
  return object instanceof z.ZodObject ? Object.keys(object.shape) : []
}

function valueAt(root: unknown, path: Path): unknown {
  let at = root
  for (const key of path) {
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, key)) return undefined
    at = (at as Record<PropertyKey, unknown>)[key]
  }
  return at
}

function pathText(path: Path): string {
  let text = ''
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`
    else text += text === '' ? String(key) : `.${String(key)}`
  }
  return text
}
