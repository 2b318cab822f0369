/** A value as JSON has it (RFC 7047, 5.1): an atom, `['uuid', ...]`, `['set', [...]]`, `['map', [...]]`. */
export type OvsdbValue =
  | string
  | number
  | boolean
  | readonly [type: 'uuid' | 'named-uuid', id: string]
  | readonly [type: 'set', members: readonly unknown[]]
  | readonly [type: 'map', entries: readonly (readonly [unknown, unknown])[]]

/** Columns of a row by their names. */
export type OvsdbRow = Readonly<Record<string, OvsdbValue>>

/** `[column, function, value]`, such as `['name', '==', 'br0']`. */
export type OvsdbCondition = readonly [column: string, relation: string, value: OvsdbValue]

/** An operation of a transaction (RFC 7047, 5.2): `insert`, `select`, `update`, `mutate`, `delete`, `wait`, `comment`, ... */
export interface OvsdbOperation {
  readonly op: string
  readonly table?: string
  readonly [member: string]: unknown
}

/** What an operation answers; which members it has depends on the operation. */
export interface OvsdbResult {
  /** Of `select`. */
  readonly rows?: readonly OvsdbRow[]
  /** Of `update`, `mutate`, `delete`: how many rows were meant. */
  readonly count?: number
  /** Of `insert`: the new row's. */
  readonly uuid?: readonly ['uuid', string]
}

/** A database's schema (RFC 7047, 3.2), as much of it as is used here. */
export interface OvsdbSchema {
  readonly name: string
  readonly version: string
  readonly tables: Readonly<
    Record<string, { readonly columns: Readonly<Record<string, { readonly type: unknown }>> }>
  >
}
