import type { FileFacts, User } from './facts.js'

/** To look a name up in a folder. */
export const SEARCH = 1
/** To make or remove names in a folder; to connect to a socket. */
export const WRITE = 2

/**
 * Whether somebody may do that with a file, by owner, group, mode and access control list (acl(5)). SELinux and AppArmor may
 * forbid it all the same.
 *
 * @param wanted - of {@link SEARCH} and {@link WRITE}
 */
export function may(file: FileFacts, user: User, wanted: number): boolean {
  if (user.overrides) return true
  const allows = (bits: number) => (bits & wanted) === wanted
  if (user.uid === file.uid) return allows(file.mode >> 6)
  const entries = (file.acl ?? []).flatMap((line) => {
    const [, tag, id, bits] = line.match(/^(\w+):(\d*):([r-][w-][x-])/) ?? []
    return tag === undefined ? [] : [{ tag, id, bits: bitsOf(bits as string) }]
  })
  const mask = entries.find(({ tag }) => tag === 'mask')?.bits ?? 7
  const own = entries.find(({ tag, id }) => tag === 'user' && id === String(user.uid))
  if (own !== undefined) return allows(own.bits & mask)
  // With a list the group's bits of the mode are the mask.
  const groups = [
    ...(user.gids.includes(file.gid)
      ? [entries.find(({ tag, id }) => tag === 'group' && id === '')?.bits ?? file.mode >> 3]
      : []),
    ...entries
      .filter(({ tag, id }) => tag === 'group' && id !== '' && user.gids.includes(Number(id)))
      .map(({ bits }) => bits),
  ]
  return groups.length > 0 ? groups.some((bits) => allows(bits & mask)) : allows(file.mode)
}

function bitsOf(text: string): number {
  return ['r', 'w', 'x'].reduce(
    (bits, letter, i) => (text[i] === letter ? bits | (4 >> i) : bits),
    0,
  )
}
