// Why a port can't be listened on, in one sentence with the flag that chooses another.

/** undefined: that is a fault, not a matter of addresses and ports. */
export function cannotListen(code: string | undefined, flag: string, port: number, host?: string): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is in use; end what listens there, or choose another with ${flag}`
    case 'EACCES':
      return `port ${port} is not allowed for this user; choose one above 1023 with ${flag}`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine; choose another with --host`
    default:
      return undefined
  }
}
