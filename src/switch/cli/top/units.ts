const PREFIXES = ['', 'k', 'M', 'G', 'T']

/** Three digits and a prefix: `0`, `7.5`, `950`, `12.3k`, `1.25M`. */
export function short(value: number): string {
  let scaled = value
  let prefix = 0
  // What would be rounded to a thousand is one of the next prefix.
  while (scaled >= 999.5 && prefix < PREFIXES.length - 1) {
    scaled /= 1000
    prefix++
  }
  const digits = scaled === 0 || scaled >= 99.95 || prefix === 0 ? 0 : scaled >= 9.995 ? 1 : 2
  const text =
    prefix === 0 && scaled > 0 && scaled < 9.95 ? trimmed(scaled) : scaled.toFixed(digits)
  return text + PREFIXES[prefix]
}

/** A few frames a second matter, tenths of them as well. */
function trimmed(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '')
}

/** Not the full block: lines of it would run into each other. */
const BLOCKS = '▁▂▃▄▅▆▇'
const LETTERS = '.:-=+*#@'

/** One character for each value, the latest to the right; blank for none and for zero. @param top - default the highest */
export function sparkline(
  values: readonly number[],
  width: number,
  unicode: boolean,
  top = Math.max(...values.slice(-width)),
): string {
  const marks = unicode ? BLOCKS : LETTERS
  const text = values
    .slice(-width)
    .map((value) => {
      if (!(value > 0)) return ' '
      return marks[Math.min(marks.length - 1, Math.floor((value / top) * marks.length))]
    })
    .join('')
  return width > 0 ? text.padStart(width) : ''
}
