import { readFile } from 'node:fs/promises'
import { CommandError } from './exit-codes.js'

/**
 * Rules in the order they are given: as arguments, or from a file; `-` is standard input. In files, one rule a line;
 * what follows a `#` is a comment.
 *
 * @throws CommandError when a file cannot be read
 */
export async function readRules(
  args: readonly string[],
  file: string | undefined,
): Promise<string[]> {
  const rules: string[] = []
  for (const arg of args) rules.push(...(arg === '-' ? await rulesOf('-') : [arg]))
  if (file !== undefined) rules.push(...(await rulesOf(file)))
  return rules
}

async function rulesOf(file: string): Promise<string[]> {
  const text = await readText(file)
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
}

/** @param file - `-`: standard input */
export async function readText(file: string): Promise<string> {
  if (file === '-') {
    const parts: Buffer[] = []
    for await (const part of process.stdin) parts.push(part as Buffer)
    return Buffer.concat(parts).toString('utf8')
  }
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${(error as Error).message}`)
  }
}
