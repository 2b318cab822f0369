/** What ends a key or a value. */
const SEPARATOR = /[,\s]/

/**
 * The parts of a text that `ovs-ofctl` would see: keys, alone or as `key=value`, `key:value` or `key(value)`, between
 * commas or white space.
 */
export function splitKeyValues(text: string): [key: string, value: string | undefined][] {
  const parts: [string, string | undefined][] = []
  let at = 0
  while (at < text.length) {
    if (SEPARATOR.test(text[at] as string)) {
      at++
      continue
    }
    const start = at
    while (at < text.length && !/[,\s:=(]/.test(text[at] as string)) at++
    const key = text.slice(start, at)
    const delimiter = text[at]
    if (delimiter === '(') {
      const end = closing(text, at)
      parts.push([key, text.slice(at + 1, end)])
      at = end + 1
    } else if (delimiter === ':' || delimiter === '=') {
      const from = ++at
      while (at < text.length && !SEPARATOR.test(text[at] as string)) at++
      parts.push([key, text.slice(from, at)])
    } else {
      parts.push([key, undefined])
    }
  }
  return parts
}

/** Where the parenthesis that opens at `at` closes; the end of the text if it does not. */
function closing(text: string, at: number): number {
  let depth = 0
  for (let i = at; i < text.length; i++) {
    if (text[i] === '(') depth++
    if (text[i] === ')' && --depth === 0) return i
  }
  return text.length
}
