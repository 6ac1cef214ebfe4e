/**
 * Scripts that complete the command's words in a shell. They are made of the commands and options there are and hold all
 * words, so that completing starts no program. Pure.
 */
import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A command with its words: names of subcommands, and options. */
interface Node {
  /** Words that lead to it, without the program's name. */
  path: string[];
  commands: { name: string; description: string }[];
  options: { flag: string; description: string; choices: readonly string[]; takesValue: boolean }[];
}

/** The script for a shell. */
export function completionScript(program: Command, shell: Shell): string {
  const nodes = nodesOf(program, []);
  if (shell === "fish") return fishScript(nodes);
  return shell === "bash" ? bashScript(nodes) : `autoload -Uz +X bashcompinit && bashcompinit\n${bashScript(nodes)}`;
}

function nodesOf(command: Command, path: string[]): Node[] {
  const shown = command.options.filter(({ hidden, long }) => !hidden && long !== undefined);
  const node: Node = {
    path,
    commands: command.commands.map((one) => ({ name: one.name(), description: one.description() })),
    options: shown.map(({ long, description, argChoices, required, optional }) => ({
      flag: long ?? "",
      description,
      choices: argChoices ?? [],
      takesValue: required || optional,
    })),
  };
  return [node, ...command.commands.flatMap((one) => nodesOf(one, [...path, one.name()]))];
}

function wordsOf({ commands, options }: Node): string {
  return [...commands.map(({ name }) => name), ...options.map(({ flag }) => flag), "--help"].join(" ");
}

/** The words after each path; where nothing fits, files are completed. */
function bashScript(nodes: Node[]): string {
  const paths = nodes.map((node) => `    "${node.path.join(" ")}") words="${wordsOf(node)}" ;;`);
  const choices = nodes.flatMap(({ path, options }) =>
    options
      .filter((option) => option.choices.length > 0)
      .map(({ flag, choices: words }) => `    "${[...path, flag].join(" ")}") choices="${words.join(" ")}" ;;`),
  );
  const withValue = [
    ...new Set(nodes.flatMap(({ options }) => options.filter((one) => one.takesValue).map((one) => one.flag))),
  ];
  return `# dmarc: completion of its words
_dmarc() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" choices="" i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$word" in
    ${withValue.join("|")}) ((i++)) ;;
    -*) ;;
    *) case " ${nodes
      .map(({ path }) => path.join("/"))
      .filter((path) => path !== "")
      .join(" ")} " in
      *" \${path:+\${path// //}/}$word "*) path="\${path:+$path }$word" ;;
      esac ;;
    esac
  done
  case "$path $previous" in
${choices.join("\n").replaceAll(/^ {4}"(--)/gm, '    " $1')}
    *) ;;
  esac
  if [ -n "$choices" ]; then COMPREPLY=($(compgen -W "$choices" -- "$current")); return; fi
  case "$path" in
${paths.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _dmarc dmarc
`;
}

function fishScript(nodes: Node[]): string {
  const lines = nodes.flatMap((node) => {
    const { path, commands, options } = node;
    const others = commands.map(({ name }) => name);
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const unseen = others.length === 0 ? [] : [`not __fish_seen_subcommand_from ${others.join(" ")}`];
    const condition = [...seen, ...unseen].join("; and ");
    const start = `complete -c dmarc -n ${fishText(condition)}`;
    return [
      ...commands.map(({ name, description }) => `${start} -f -a ${name} -d ${fishText(description)}`),
      ...options.map(
        ({ flag, description, choices, takesValue }) =>
          `${start} -l ${flag.slice(2)}${takesValue ? " -r" : ""}${choices.length > 0 ? ` -f -a ${fishText(choices.join(" "))}` : ""} -d ${fishText(description)}`,
      ),
    ];
  });
  return `# dmarc: completion of its words\n${lines.join("\n")}\n`;
}

// Fish knows two escapes within single quotes.
function fishText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
