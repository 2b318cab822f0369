/** Longest name of a port, lcore or program. */
export const MAX_NAME = 64

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:@+-]*$/

/** What is wrong with the name of a port or an lcore. */
export function wrongName(name: string): { message: string; fix: string } | undefined {
  const fix = `give 1 to ${MAX_NAME} of the characters A-Z a-z 0-9 _ . : @ + -, the first a letter, a digit or _`
  if (name === '') return { message: 'is empty', fix }
  if (name.length > MAX_NAME) return { message: `has ${name.length} characters`, fix }
  if (NAME.test(name)) return undefined
  const bad = [...name].find((character) => !/[A-Za-z0-9_.:@+-]/.test(character))
  const message =
    bad === undefined ? `begins with ${JSON.stringify(name[0])}` : `contains ${JSON.stringify(bad)}`
  return { message, fix }
}
