import { DOMParser, type Element, type ParseError } from '@xmldom/xmldom'
import { unreadable } from './parsed.js'

/** An element as text: tag, attributes (those undefined are left out), children. */
export function element(
  tag: string,
  attributes: Readonly<Record<string, string | number | undefined>> = {},
  children: readonly string[] | string = [],
): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}='${escaped(String(value))}'`)
    .join('')
  if (typeof children === 'string') return `<${tag}${written}>${escaped(children)}</${tag}>`
  if (children.length === 0) return `<${tag}${written}/>`
  const inside = children.map((child) => child.replaceAll(/^/gm, '  ')).join('\n')
  return `<${tag}${written}>\n${inside}\n</${tag}>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '"': '&quot;',
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>'"]/g, (character) => ENTITIES[character] as string)
}

/**
 * The root element of a document.
 *
 * @throws {@link ConfigError} with line and column when it is not well-formed
 */
export function parseXml(text: string, what: string): Element {
  try {
    const document = new DOMParser({
      onError: (level, message) => {
        if (level !== 'warning') throw new Error(message)
      },
    }).parseFromString(text, 'text/xml')
    if (document.documentElement !== null) return document.documentElement
  } catch (error) {
    const { message, locator } = error as ParseError
    const place =
      locator?.lineNumber === undefined
        ? ''
        : `line ${locator.lineNumber}, column ${locator.columnNumber}`
    const fix = 'give the whole output of `virsh dumpxml`'
    throw unreadable(
      what,
      place,
      undefined,
      `is not well-formed XML: ${message.split('\n')[0]}`,
      fix,
    )
  }
  throw unreadable(what, '', undefined, 'has no element', 'give the output of `virsh dumpxml`')
}

/** The child elements of that tag. */
export function childrenOf(parent: Element | undefined, tag: string): Element[] {
  if (parent === undefined) return []
  return Array.from(parent.childNodes).filter((node) => node.nodeName === tag) as Element[]
}

/** The first element down a path of tags. */
export function child(
  parent: Element | undefined,
  ...tags: readonly string[]
): Element | undefined {
  return tags.reduce<Element | undefined>((at, tag) => childrenOf(at, tag)[0], parent)
}

/** An attribute, undefined when it is missing. */
export function attribute(of: Element | undefined, name: string): string | undefined {
  return of?.getAttribute(name) ?? undefined
}
