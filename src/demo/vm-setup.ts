import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const SETUP = fileURLToPath(new URL('../../../scripts/setup.mjs', import.meta.url))

/** Installs what virtual machines need, if it is missing. Its words go to stderr. */
export async function setUpVirtualMachines(signal: AbortSignal): Promise<void> {
  // An installed package comes without its scripts; starting a machine then says what is missing.
  if (!existsSync(SETUP)) return
  const child = spawn(process.execPath, [SETUP, '--vm'], { stdio: ['inherit', 2, 2], signal })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0)
    throw new Error('not everything that virtual machines need is installed: see above')
}
