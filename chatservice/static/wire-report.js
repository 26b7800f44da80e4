// The whole as text, for whoever shall find out what went wrong.

const pairs = (hexadecimal) => (hexadecimal ?? "").replace(/(..)(?!$)/g, "$1 ");

export function report(entries, about) {
  const lines = ["chatservice /wire", ...Object.entries(about).map(([name, value]) => `${name}: ${value}`), ""];
  for (const { tell, t, round_ms } of entries) {
    lines.push(`--- ${t.toFixed(1)} ms: ${title(tell)}`, ...body(tell));
    if (round_ms !== undefined) lines.push(`echo heard ${round_ms} ms after it was sent`);
  }
  return `${lines.join("\n")}\n`;
}

function title(tell) {
  if (tell.type === "frame") return `from the browser: ${tell.name}, ${tell.length} octets`;
  if (tell.type === "sent") return `from the server: opcode ${tell.opcode}, ${tell.length} octets`;
  return { opened: "handshake", closing: "the server closes", closed: "closed", enough: "no more is shown" }[tell.type];
}

function body(tell) {
  switch (tell.type) {
    case "opened":
      return [tell.request.trimEnd(), "", tell.answer.trimEnd(), "", `key + GUID: ${tell.steps.joined}`, `SHA-1: ${tell.steps.sha1}`, `Base64: ${tell.steps.accept}`];
    case "frame": {
      const lines = [`FIN ${+tell.fin}, RSV ${tell.rsv.join("")}, opcode ${tell.opcode}, length in ${tell.form} bits, key ${pairs(tell.key) || "none"}`,
        `head: ${pairs(tell.head)}`, `masked: ${pairs(tell.masked)}`, `payload: ${pairs(tell.payload)}`];
      if (tell.utf8) lines.push(tell.utf8.good ? "UTF-8: good" : `UTF-8: fails at octet ${tell.utf8.at} (${pairs(tell.utf8.octets)}): ${tell.utf8.why}`);
      if (tell.rtt_ms !== undefined) lines.push(`pong ${tell.rtt_ms} ms after the ping`);
      return [...lines, ...tell.breaks.map((rule) => `against the rules: ${rule}`)];
    }
    case "sent":
      return [`head: ${pairs(tell.head)}`, `payload: ${pairs(tell.payload)}`];
    default:
      return tell.code === undefined ? [] : [`code ${tell.code} ${tell.reason ?? ""}`.trimEnd()];
  }
}
