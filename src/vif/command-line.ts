/** What QEMU's executable may be called, at the end of a path. */
const QEMU = /(?<=^|\s)\S*(?:qemu-system-[\w-]+|qemu-kvm|\/kvm)(?=['"]?(?:\s|$))/g

/**
 * The arguments of a QEMU: of a command line, of `/proc/PID/cmdline`, or of the last start in libvirt's log, with the
 * quotes and escapes of a shell undone.
 */
export function commandLineArguments(text: string): string[] {
  if (text.includes('\0')) return text.split('\0').filter((word) => word !== '')
  const start = Array.from(text.matchAll(QEMU)).at(-1)?.index ?? 0
  return shellWords(text.slice(start))
}

/** Words up to the end of the command: a line break that is not escaped, unless an option follows it. */
function shellWords(text: string): string[] {
  const words: string[] = []
  // A word is made of plain characters, escaped ones, and quoted pieces.
  const token = /((?:[^\s\\'"]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+)|\\?(\r?\n)|[^\S\n]+/y
  let line = token.exec(text)
  while (line !== null) {
    const [whole, word, end] = line
    if (word !== undefined && !/^(?:\\\r?\n)+$/.test(word)) words.push(unquoted(word))
    else if (end !== undefined && !whole.startsWith('\\')) {
      if (!/^\s*['"]?-/.test(text.slice(token.lastIndex))) break
    }
    line = token.exec(text)
  }
  return words
}

function unquoted(word: string): string {
  return word.replaceAll(
    /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])/g,
    (_whole, single?: string, double?: string, escaped?: string) => {
      if (single !== undefined) return single
      if (double !== undefined)
        return double.replaceAll(/\\(["\\$`])/g, '$1').replaceAll('\\\n', '')
      return escaped === '\n' ? '' : (escaped as string)
    },
  )
}

/** A word for a shell to read: in quotes where it has to be. */
export function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
