import type {
  Program,
  ProgramContext,
  ProgramFactory,
  ProgramFunction,
} from 'dpdk-vhost/programs/program'

/**
 * Makes the user's program out of a module, as `Datapath.launch` does.
 *
 * @throws what the module throws, or TypeError when its default export does not make a program
 */
export async function makeUserProgram(url: string, context: ProgramContext): Promise<Program> {
  const { default: made } = (await import(url)) as { default?: unknown }
  const program = typeof made === 'function' ? await (made as ProgramFactory)(context) : made
  if (typeof program === 'function') {
    const decide = program as ProgramFunction
    return { name: decide.name, burst: (burst) => decide(burst) }
  }
  if (isProgram(program)) return program
  throw new TypeError(
    `${url} makes no program; export as default a function that returns one: a function of a burst, or an object with a method 'burst'`,
  )
}

function isProgram(value: unknown): value is Program {
  return (
    typeof value === 'object' &&
    value !== null &&
    'burst' in value &&
    typeof value.burst === 'function'
  )
}
