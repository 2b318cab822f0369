/** Words in colours. */
export type Paint = (style: Style, text: string) => string

export type Style = 'heading' | 'good' | 'waiting' | 'bad' | 'faint'

const CODES: Readonly<Record<Style, number>> = {
  heading: 1,
  good: 32,
  waiting: 33,
  bad: 31,
  faint: 2,
}

export function newPaint(inColour: boolean): Paint {
  if (!inColour) return (_style, text) => text
  return (style, text) => (text === '' ? '' : `\x1b[${CODES[style]}m${text}\x1b[0m`)
}
