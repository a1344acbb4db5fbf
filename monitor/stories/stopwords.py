"""Words that say nothing of an event: function words of three languages, and what headlines say of themselves.

They are compared normalised. What else is frequent is found by counting, not listed.
"""

from __future__ import annotations

from monitor.language.normalise import normalise

_ENGLISH = """
a about above after again against ago all almost along already also although am amid among an and another any are
around as at away back be became because become been before behind being below between both but by call calls came can
cannot come comes could day days did do does doing done down during each early either else end ever every few first
for former from full further get gets give go goes going got had has have having he her here hers him his how however
i if in inside into is isn't it its itself just keep know known last late latest least less like look made make makes
many may me might more most much must my near need never new news next no nor not now of off old on once one only onto
or other our out over own part people per put really s said same say saying says see seen set several shall she should
show shows since so some still such take takes tell tells than that the their them then there these they thing things
this those through time to today together told tomorrow too top toward two under until up upon us use used very via
want was watch way we week weeks well went were what when where which while who whom whose why will with within
without won't would year years yesterday yet you your monday tuesday wednesday thursday friday saturday sunday
analysis breaking briefing explained explainer far gallery glance happened headlines live morning evening opinion
photos pictures read recap report reported reportedly reporter reporters reports roundup so story update updated
updates video
"""
_HEBREW = """
של את על עם אל לא כי זה זו זאת הוא היא הם הן אני אנחנו אתה אתם כל כך גם רק אך אבל או אם כן יש אין היה היתה הייתה היו
יהיה תהיה יהיו מה מי איך למה מדוע מתי איפה כאשר כש אחרי לפני בין תחת מול ליד עד מאז כדי בגלל למרות לפי אחר אחרת עוד
יותר פחות מאוד כבר עדיין עכשיו כעת היום אתמול מחר הבוקר הערב הלילה השבוע שם כאן פה זהו אלה אלו אותו אותה אותם שלו שלה
שלהם לו לה להם בו בה בהם אחד אחת שני שתי אמר אמרה אמרו מסר מסרה נמסר דיווח דיווחים דווח לאחר במהלך ביום בשעה שנה שנים
ימים יום חדש חדשה ראשון ראשונה נוסף נוספת נוספים נוספות מעט הרבה חודש חודשים שבוע שבועות תחילת סוף רוב חלק חדשות עדכון
עדכונים מבזק מבזקים פרשנות דעה צפו תמונות סיכום
"""
_ARABIC = """
في من على إلى عن مع أن إن لا ما هذا هذه ذلك تلك هو هي هم هن الذي التي الذين قد كان كانت كانوا يكون تكون لم لن ليس ليست
كل بعض غير بعد قبل بين تحت فوق عند حتى منذ حول خلال ضد دون عبر أو أم ثم لكن بل كما حيث إذا لو أي أيضا فقط أكثر أقل أول
أولى أحد إحدى قال قالت قالوا يقول تقول ذكر ذكرت أعلن أعلنت أفاد أفادت اليوم أمس غدا الآن مساء صباح يوم أيام عام عاما
سنة شهر به بها لها له لهم فيه فيها منه منها عليه عليها إنه أنه أنها بأن لأن وقد وكان وكانت جديد جديدة أسبوع أسابيع
شهور مزيد المزيد آخر أخرى بداية نهاية معظم خبر أخبار عاجل تحديث مباشر تحليل شاهد صور فيديو موجز نشرة
"""

_TURNS = """
no not never none neither nor without isn't aren't wasn't weren't won't don't doesn't didn't can't cannot couldn't
hasn't haven't hadn't deny denies denied denying reject rejects rejected rejecting refuse refuses refused refusing
dismiss dismisses dismissed rule rules ruled fail fails failed collapse collapses collapsed cancel cancels cancelled
canceled suspend suspends suspended halt halts halted despite unless until
לא אין אינו אינה אינם בלי ללא אל מכחיש מכחישה מכחישים הכחיש הכחישה הכחישו דוחה דוחים דחה דחתה דחו מסרב מסרבת מסרבים
סירב סירבה שולל שוללת שללו נכשל נכשלו נכשלה קרס קרסו קרסה ביטל ביטלה בוטל בוטלה השעה הוקפא הוקפאו חרף למרות
لا لم لن ليس ليست غير دون بدون نفى نفت ينفي تنفي ينفون رفض رفضت يرفض ترفض يرفضون فشل فشلت تفشل انهيار انهار انهارت
ألغى ألغت إلغاء علق علقت تعليق رغم
"""

STOP = frozenset(normalise(" ".join((_ENGLISH, _HEBREW, _ARABIC))).split())
TURNS = frozenset(normalise(_TURNS).split())
"""Words that one headline may have more than another and then say the opposite."""
