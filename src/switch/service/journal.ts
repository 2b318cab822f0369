import { fstatSync } from 'node:fs'

/** Whether that descriptor leads to systemd's journal (`JOURNAL_STREAM` of systemd.exec(5)). */
export function isJournal(fd: number, stream = process.env.JOURNAL_STREAM): boolean {
  if (!stream) return false
  const { dev, ino } = fstatSync(fd, { bigint: true })
  return stream === `${dev}:${ino}`
}
