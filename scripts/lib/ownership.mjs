// Keeps a checkout usable by its owner when root prepares it (sudo, or a container with a mounted
// checkout): what root built here belongs to the owner of the checkout.

import { lchownSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { inRoot, root } from './project.mjs'

export function giveToOwner(folders) {
  const { uid, gid } = lstatSync(root)
  if (process.getuid() !== 0 || uid === 0) return
  for (const folder of folders) giveTree(inRoot(folder), uid, gid)
}

function giveTree(path, uid, gid) {
  const status = lstatSync(path, { throwIfNoEntry: false })
  if (!status) return
  if (status.uid !== uid) lchownSync(path, uid, gid)
  if (status.isDirectory())
    for (const name of readdirSync(path)) giveTree(join(path, name), uid, gid)
}
