import type { User } from '../facts.js'
import { type Host, optional } from '../host.js'

/** Names and numbers of users and groups, by `/etc/passwd` and `/etc/group`. */
export class Accounts {
  readonly #users: readonly (readonly string[])[]
  readonly #groups: readonly (readonly string[])[]

  constructor(host: Host) {
    const table = (path: string) =>
      (optional(() => host.read(path)) ?? '').split('\n').map((line) => line.split(':'))
    this.#users = table('/etc/passwd')
    this.#groups = table('/etc/group')
  }

  nameOfUser(uid: number): string {
    return this.#users.find((row) => row[2] === String(uid))?.[0] ?? String(uid)
  }

  nameOfGroup(gid: number): string {
    return this.#groups.find((row) => row[2] === String(gid))?.[0] ?? String(gid)
  }

  gidOf(name: string): number | undefined {
    const gid = this.#groups.find((row) => row[0] === name)?.[2]
    return gid === undefined ? undefined : Number(gid)
  }

  /** As who a program started with that user acts: with all groups the user is in. */
  userOf(name: string): User | undefined {
    const [, , uid, gid] = this.#users.find((row) => row[0] === name) ?? []
    if (uid === undefined) return undefined
    const others = this.#groups.filter((row) => row[3]?.split(',').includes(name))
    const gids = [Number(gid), ...others.map((row) => Number(row[2]))]
    return { name, uid: Number(uid), gids: [...new Set(gids)], overrides: uid === '0' }
  }
}
