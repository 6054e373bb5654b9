/**
 * Letters that look alike and are missing in Unicode's list of confusable characters, from which the package unhomoglyph is made.
 */

// By Latin letter, in the case that looks alike, the characters that common fonts draw like it: small capitals, Latin letters
// that Unicode names as a form of it (turned, with a hook, with a stroke), and letters and signs of other scripts.
export const LOOKS: Record<string, string> = {
  a: "ᴀⱥ∂ⲁɐᶏẚꬱɒᶐꬰꭤⱭⱰ∆Δ∧Λ",
  b: "ʙƅвⲃᴃᵬᶀꞗßꞵ",
  c: "Ꮯςƈɕʗↄꜿꞓꞔ𝼏𝼝",
  d: "ᴅɗⲇȡᵭᶁᶑꝺꟈ𝼥ðẟ",
  e: "ᴇєεɛⲉǝɘɜɝɞʚᴈᶒᶓᶔⱸⱻꬳꬴəɚꭢ",
  f: "ꜰғƒᶂꝼꟻƪꭍ",
  g: "ɢԍʛᵷᵹꝿꞡꟑꬶ𝼁𝼂",
  h: "ʜнⲏɥʮʯⱨꞕⱶꜧɧꟶ",
  i: "ɪᴉᶖꟷꟾ𝼚",
  j: "ᴊʝյȷɟʄ",
  k: "ᴋкκⲕʞᶄⱪꝁꝃꝅꞣ𝼃𝼐ĸ",
  l: "ʟⲓŀȴɬᴌᶅⱡꝉꞁꞎꬷꬸꬹ𝼄𝼑𝼓𝼦ꝇʃǃ",
  m: "ᴍмⲙɰᴟᶆꟺꟽꟿꬺ",
  n: "ɴпиηⲛŉȵɲᴎᶇꞑꞥꬻ𝼧ŋꬼ𝼔𝼇",
  o: "০ɔᴐᴒᴓᴖᴗᶗⱺꝍꬿꭃꭄ𝼛○◯●ɤ",
  p: "ᴘϸᵱᶈꝑꝓꝕꟼþꝥꝧɸⱷ",
  q: "ǫɋꝗꝙꞯ",
  r: "ʀɾɹɺɻɿʁᴙᴚᵳᶉⱹꝛꞃꞧꭆꭉꭋꭌꭨ𝼈𝼕𝼖𝼨ꭅꝵꝶ",
  s: "ʂᏚȿᶊẜꞅꞩꟊ𝼞𝼩ƨꟗꟙ",
  t: "ᴛтτƭⲧƫȶʇʈⱦꞇ𝼉𝼍𝼪",
  u: "цџʉᴝᶙꞹꭏʊᵿ",
  v: "ʌỽⱱⱴꝟꝩ",
  w: "ωшⲱʍⱳꟃꞷɷ",
  x: "χⲭᶍꭖꭗꭘꭙꭓꭔꭕ",
  y: "ʏʎ𝼆",
  z: "ʐȥᏃɀʑᶎⱬʒƺʓꝣᶚ𝼘ȝꜫ",
};

// From Unicode's database of Han characters (Unihan 15.0): spoofing variants and forms of one character
// (kSpoofingVariant, kZVariant) that the list of confusable characters leaves out.
const UNIHAN = [
  "㐊㐋 㒨𠑗 㓓湳 㓕滅 㓖滭 㓗潔 㬿𫜶 㭑枺 䆋龝 䏓朊 䘠袚 䢴邗 䰗𩰘 䱅鮇 䱍䱎 䶾𣢧 了𠄐",
  "二𠄞𠄟𠄠 佅𠇱 傘𠌂 兵𠔊 凐湮 凑湊 凒溰 凓溧 凔滄 凗漼 凘澌 凙澤 凚澿 凜澟 凟瀆 十𬂛",
  "卄卝艹 叱𫜸𠮟 吉𠮷 吳吴呉 味𠰌 喦嵒 器𠾖 垔𡊹 墶𡐿 壬𡈼 壯𡉟 天𫯛 奨奬獎 妹妺 娛娯娱 媲𡠌",
  "巽𢁉 延𢌛 志𢖽 怽𢗿 恆恒 悅悦 戶户 抹抺 挩捝 挿插揷 揺搖摇 攬𭣄 敓敚 斳𣂷 昧昩 梲棁 槱𪳝",
  "欄𣟬 沫沬 涗涚 渫𠗨 測𠗧 湆𠗥 湌飡 湶𠗯 溏𠗶 溓𠗳 溤馮 滂𠗵 滲𠗿 漱𠘂 漺𠗾 漻𠗽 潸𣽽",
  "潹𠘆 潺𠘈 澋𠘉 澮𠘎 澶𠘐 濂濓 濃𠘊 濎𠘋 濪𩇝 濼𠘙 瀝𠘟 瀤𠘠 瀨𠘝 灂𠘣 獡𤡯 琢𤥨 瑤瑶",
  "瑨𤨁 田𫭂 疉𤴁 皌𤽜 目𡆤 眔𥄳 眛眜 砞𥑘 祙𥘯 秣𥞊 稅税 稽𥡴 突𥤮 箓𥭼 篹𥲻 簆𥲃 籑𥶉",
  "絙絚 緒緖 耴𦔮 肞𮌋 脫脱 脼𣍷 臭𦤀 致𦤶 舀𦥝 舝𤛉 芲𰰨 苿茉 萒𦳆 蒁𦳯 蘷𧅄 蚕𧉕 蛻蜕",
  "說説 謠謡 謹𧫴 跊𧿴 逸𨓜 郷鄉鄕 銳鋭 鑙𨮺 隆𨺓 頙𩑠 類𩔖 𠃁𤱮 𠔀𢌬 𠕓𡴊 𠕛𠱬 𠜧𠜰 𡴌𤰒",
  "𢫮𢬎 𣎆𦝠 𣎟𦠅 𣳫𣵭 𥇗𥇤 𥡤𥡱 𦚸𦚹 𦭠𦭫 𦰥𱽨 𦺤𦽩 𧟱𧟵 𩑵𩑷 𩿣𩿲 𬻋𱽌",
];
// In neither list: characters that differ in the length of a stroke or in one part, and kana that are drawn like Han.
const DRAWN_ALIKE =
  "己已巳 末未 土士 日曰 干千チ 入人 戊戌戍 治冶 明眀 冒冐 天夭 母毋 才オ 三ミ 七セ 又ヌ 乂メ りリ ソン シツ";

/** Groups of Han characters and kana that look alike. */
export const EAST_ASIAN_LOOKS: readonly string[] = [...UNIHAN, DRAWN_ALIKE].flatMap((row) => row.split(" "));
