/** A port of a switch, as far as its socket goes. */
export interface SwitchSidePort {
  readonly name: string
  readonly type: 'dpdkvhostuser' | 'dpdkvhostuserclient'
  readonly path: string
  /** What else it has because of its type, for the way back. */
  readonly options?: Readonly<Record<string, unknown>>
}

/** The switch whose ports are migrated. */
export interface SwitchSide {
  /** `OVS`, `vswitch`. */
  readonly name: string
  /** Its process, if that is known. */
  pid(): Promise<number | undefined>
  /** Its vhost-user ports. */
  ports(): Promise<readonly SwitchSidePort[]>
  /** Makes a port of another type and path; that lasts over a restart. Doing it again changes nothing. */
  set(port: SwitchSidePort): Promise<void>
  /** Whether a guest is connected to a port. */
  isConnected(port: string): Promise<boolean>
}
