// The built-in text that formats are compared on: the beginning of "Alice's Adventures in Wonderland" (Lewis Carroll, 1865) and 桃花源記 (陶淵明, 421), both in the public domain.

/** Raised whenever the text changes: results on other texts are not comparable. */
export const SAMPLE_TEXT_VERSION = 1

/** About 3,000 characters of English and 320 of Chinese. */
export const SAMPLE_TEXT = `Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do: once or twice she had peeped into the book her sister was reading, but it had no pictures or conversations in it, "and what is the use of a book," thought Alice "without pictures or conversations?"

So she was considering in her own mind (as well as she could, for the hot day made her feel very sleepy and stupid), whether the pleasure of making a daisy-chain would be worth the trouble of getting up and picking the daisies, when suddenly a White Rabbit with pink eyes ran close by her.

There was nothing so very remarkable in that; nor did Alice think it so very much out of the way to hear the Rabbit say to itself, "Oh dear! Oh dear! I shall be late!" (when she thought it over afterwards, it occurred to her that she ought to have wondered at this, but at the time it all seemed quite natural); but when the Rabbit actually took a watch out of its waistcoat-pocket, and looked at it, and then hurried on, Alice started to her feet, for it flashed across her mind that she had never before seen a rabbit with either a waistcoat-pocket, or a watch to take out of it, and burning with curiosity, she ran across the field after it, and fortunately was just in time to see it pop down a large rabbit-hole under the hedge.

In another moment down went Alice after it, never once considering how in the world she was to get out again.

The rabbit-hole went straight on like a tunnel for some way, and then dipped suddenly down, so suddenly that Alice had not a moment to think about stopping herself before she found herself falling down a very deep well.

Either the well was very deep, or she fell very slowly, for she had plenty of time as she went down to look about her and to wonder what was going to happen next. First, she tried to look down and make out what she was coming to, but it was too dark to see anything; then she looked at the sides of the well, and noticed that they were filled with cupboards and book-shelves; here and there she saw maps and pictures hung upon pegs.

晉太元中,武陵人捕魚為業。緣溪行,忘路之遠近。忽逢桃花林,夾岸數百步,中無雜樹,芳草鮮美,落英繽紛。漁人甚異之。復前行,欲窮其林。

林盡水源,便得一山,山有小口,彷彿若有光。便捨船,從口入。初極狹,纔通人。復行數十步,豁然開朗。土地平曠,屋舍儼然,有良田、美池、桑竹之屬。阡陌交通,雞犬相聞。其中往來種作,男女衣著,悉如外人。黃髮垂髫,並怡然自樂。

見漁人,乃大驚,問所從來。具答之。便要還家,設酒殺雞作食。村中聞有此人,咸來問訊。自云先世避秦時亂,率妻子邑人來此絕境,不復出焉,遂與外人間隔。問今是何世,乃不知有漢,無論魏晉。此人一一為具言所聞,皆歎惋。餘人各復延至其家,皆出酒食。停數日,辭去。此中人語云:「不足為外人道也。」
`
