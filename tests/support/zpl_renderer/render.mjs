// One JSON object a line in ({zpl, width_mm, height_mm, dots_per_mm}), one a line out ({png} in base64, or {error}).
import { createInterface } from "node:readline";
import { ready } from "zpl-renderer-js";

const { api } = await ready;
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const { zpl, width_mm, height_mm, dots_per_mm } = JSON.parse(line);
    answer = { png: await api.zplToBase64Async(zpl, width_mm, height_mm, dots_per_mm) };
  } catch (error) {
    answer = { error: String(error.message || error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
process.exit(0);
