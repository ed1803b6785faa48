/**
 * The map by WebGL2: one rectangle over everything, and two textures with a texel for each column. What a frame costs depends on
 * the pixels and not on the columns; what lands changes a row of a texture, and fades by the clock alone.
 */

import type { Renderer, Scene } from "./scene.ts";
import type { Sheet } from "./sheet.ts";

const VERTEX = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0), 0.0, 1.0); }`;

const FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D cells;
uniform highp sampler2D landed;
uniform vec2 sheet;
uniform vec3 view; // first corner in pixels, and pixels for a cell
uniform float height;
uniform float now;
uniform bool calm;
uniform bool dim;
uniform vec2 selected;
uniform vec2 cursor;
uniform vec3 palette[9]; // as PALETTE names them
out vec4 colour;

float inside(float distance, float soft) { return 1.0 - smoothstep(-soft, soft, distance); }

void main() {
  vec2 at = (vec2(gl_FragCoord.x, height - gl_FragCoord.y) - view.xy) / view.z;
  vec2 cell = floor(at);
  float soft = 0.7 / view.z;
  vec3 c = palette[0];
  if (all(greaterThanEqual(cell, vec2(0.0))) && all(lessThan(cell, sheet))) {
    vec2 data = texelFetch(cells, ivec2(cell), 0).rg;
    int flags = int(data.r * 255.0 + 0.5);
    vec2 p = at - cell - 0.5;
    float d = length(p);
    if ((flags & 1) == 0) {
      c = mix(c, palette[1], inside(d - max(0.06, soft), soft));
    } else {
      float used = data.g;
      float age = now - texelFetch(landed, ivec2(cell), 0).r;
      float lit = calm ? step(age, 3.0) : exp(-1.15 * max(age, 0.0));
      int kind = flags >> 4;
      float diamond = abs(p.x) + abs(p.y);
      float resting = inside((flags & 4) != 0 ? diamond - 0.40 : d - (0.25 + 0.08 * used), soft);
      vec3 tone = mix(palette[2], palette[3], used);
      if ((flags & 4) != 0) tone = mix(tone, palette[6], 0.5);
      float shape = resting;
      if (lit > 0.01 && kind > 0) {
        vec3 hue = kind == 1 ? palette[4] : kind == 2 ? palette[5] : palette[6];
        float line = max(0.07, soft);
        float core = inside(d - 0.11, soft);
        float mark = kind == 1 ? inside(d - 0.40, soft)
          : kind == 2 ? max(core, inside(abs(d - 0.36) - line, soft))
          : max(core, inside(abs(diamond - 0.42) - line, soft));
        float most = min(1.0, lit * 2.0);
        shape = mix(resting, mark, most);
        tone = mix(tone, hue, most);
        c = mix(c, hue, 0.22 * lit * exp(-9.0 * d * d));
      }
      if (dim && (flags & 2) == 0) tone = mix(tone, c, 0.72);
      if ((flags & 2) != 0) {
        tone = palette[7];
        shape = max(shape, inside(d - 0.40, soft));
      }
      c = mix(c, tone, shape);
    }
  }
  float line = clamp(0.07, 1.1 / view.z, 1.8 / view.z);
  float far = max(0.62, 5.0 / view.z);
  c = mix(c, palette[8], inside(abs(length(at - selected - 0.5) - far) - line, soft));
  c = mix(c, palette[7], inside(abs(length(at - cursor - 0.5) - far - 2.6 * line) - line, soft));
  colour = vec4(c, 1.0);
}`;

const NOWHERE = -1e6;
const UNIFORMS = ["cells", "landed", "sheet", "view", "height", "now", "calm", "dim", "selected", "cursor", "palette"] as const;

/** None where there is no WebGL2, or none worth it unless `isForced`. `onLost` is called when the context goes. */
export function webgl(onLost: () => void, isForced: boolean): Renderer | undefined {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, stencil: false, powerPreference: "low-power", failIfMajorPerformanceCaveat: !isForced });
  const program = gl && (isForced || !isSoftware(gl)) && linked(gl);
  if (!gl || !program) return undefined;
  canvas.addEventListener("webglcontextlost", onLost);

  gl.useProgram(program);
  gl.bindVertexArray(gl.createVertexArray());
  const at = Object.fromEntries(UNIFORMS.map((name) => [name, gl.getUniformLocation(program, name)])) as Record<
    (typeof UNIFORMS)[number],
    WebGLUniformLocation | null
  >;
  gl.uniform1i(at.cells, 0);
  gl.uniform1i(at.landed, 1);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  const palette = new Float32Array(27);
  let shown: Sheet | undefined;
  let ratio = 1;

  const texture = (unit: number): void => {
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  };
  texture(0);
  texture(1);

  const upload = (sheet: Sheet): void => {
    const { width } = sheet;
    if (sheet !== shown) {
      shown = sheet;
      sheet.dirtyAll();
      gl.activeTexture(gl.TEXTURE0);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RG8, width, sheet.height, 0, gl.RG, gl.UNSIGNED_BYTE, null);
      gl.activeTexture(gl.TEXTURE1);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, width, sheet.height, 0, gl.RED, gl.FLOAT, null);
    }
    const rows = sheet.takeDirty();
    if (!rows) return;
    const [from, to] = rows;
    gl.activeTexture(gl.TEXTURE0);
    const cells = sheet.cells.subarray(2 * from * width, 2 * (to + 1) * width);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, from, width, to + 1 - from, gl.RG, gl.UNSIGNED_BYTE, cells);
    gl.activeTexture(gl.TEXTURE1);
    const landed = sheet.landed.subarray(from * width, (to + 1) * width);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, from, width, to + 1 - from, gl.RED, gl.FLOAT, landed);
  };

  return {
    kind: "webgl2",
    canvas,
    resize(width, height, newRatio) {
      ratio = newRatio;
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
      gl.viewport(0, 0, canvas.width, canvas.height);
    },
    draw({ sheet, camera, now, selected, cursor, palette: given, isCalm }: Scene) {
      if (gl.isContextLost()) return;
      upload(sheet);
      const place = (cell: number | undefined): [number, number] =>
        cell === undefined ? [NOWHERE, NOWHERE] : [cell % sheet.width, Math.floor(cell / sheet.width)];
      gl.uniform2f(at.sheet, sheet.width, sheet.height);
      gl.uniform3f(at.view, camera.x * ratio, camera.y * ratio, camera.scale * ratio);
      gl.uniform1f(at.height, canvas.height);
      gl.uniform1f(at.now, now);
      gl.uniform1i(at.calm, isCalm ? 1 : 0);
      gl.uniform1i(at.dim, sheet.hasHits ? 1 : 0);
      gl.uniform2f(at.selected, ...place(selected));
      gl.uniform2f(at.cursor, ...place(cursor));
      palette.set(Object.values(given).flat());
      gl.uniform3fv(at.palette, palette);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    },
  };
}

/** Whether the processor paints in place of a graphics card: then it paints faster by itself. */
function isSoftware(gl: WebGL2RenderingContext): boolean {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

function linked(gl: WebGL2RenderingContext): WebGLProgram | undefined {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(type);
    if (!shader) return undefined;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (gl.getProgramParameter(program, gl.LINK_STATUS)) return program;
  const logs = (gl.getAttachedShaders(program) ?? []).map((shader) => gl.getShaderInfoLog(shader));
  console.warn("the map falls back to Canvas2D:", gl.getProgramInfoLog(program), ...logs);
  return undefined;
}
