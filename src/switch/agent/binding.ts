/** A port that is to be in the switch. */
export interface Binding {
  /** What names it at its source: a file, or the id of a Neutron port. */
  readonly key: string
  /** Its name in the switch. */
  readonly name: string
  /** The port as `vswitch port add` takes it. */
  readonly options: Readonly<Record<string, unknown>>
  /** What is not as it should be, a line each. */
  readonly warnings: readonly string[]
}

/** Something at a source that cannot be used. A port that was made of it before stays as it is. */
export interface Unusable {
  readonly key: string
  /** What is wrong, and what to do. */
  readonly error: string
}

/** All that a source has. What is in neither list is to be removed. */
export interface Bindings {
  readonly ports: readonly Binding[]
  readonly unusable: readonly Unusable[]
}

/** What became of a binding. */
export interface BindingState {
  readonly key: string
  /** Name of the port in the switch. */
  readonly port: string
  /** Path of its socket. */
  readonly socket: string | undefined
  /**
   * The port's own (`ready`, `connecting`, `disconnected`, ...), or: `plugging`; `failed`: the switch refused; `unusable`: there is
   * no port of it; `unknown`: the switch does not answer.
   */
  readonly state: string
  /** When it became so, in ISO 8601. */
  readonly since: string
  /** Why, and what to do. */
  readonly error?: string
}

/** Where bindings come from. */
export interface BindingSource {
  /** For the log. */
  readonly name: string
  /**
   * All there is now. May answer what it knows already, if it is too early to ask again.
   *
   * @throws Error when it cannot be told; nothing is changed then
   */
  read(signal: AbortSignal): Promise<Bindings>
  /** Is told of states that changed, where it has a place for them. */
  report?(states: readonly BindingState[], signal: AbortSignal): Promise<void>
}
