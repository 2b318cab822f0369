import { join } from 'node:path'

/** Where the admin socket is if nobody says: `/run/vswitch` for root, else the user's runtime folder. */
export function defaultAdminSocket(
  uid: number | undefined = process.getuid?.(),
  runtimeFolder: string | undefined = process.env.XDG_RUNTIME_DIR,
): string {
  if (uid === 0) return '/run/vswitch/admin.sock'
  return join(runtimeFolder || `/run/user/${uid ?? 0}`, 'vswitch', 'admin.sock')
}
